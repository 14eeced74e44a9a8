import { BackfillRequests } from './collectors/backfill/backfill-requests.ts';
import { Backfiller } from './collectors/backfill/backfiller.ts';
import { Reconciler } from './collectors/backfill/reconciler.ts';
import type { BaseDataCollector } from './collectors/base-data-collector.ts';
import type { CollectorManager } from './collectors/collector-manager.ts';
import type { AcceptTrade } from './collectors/deliver.ts';
import type { ExchangeFactory } from './collectors/exchange-factory.ts';
import { DataType } from './market/data-type.ts';
import type { Recorder } from './pipeline/recorder.ts';
import type { Clock, Random } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';

interface HealingPorts {
  readonly recorder: Recorder;
  readonly factory: ExchangeFactory;
  readonly manager: CollectorManager;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Healing extends Disposable {
  readonly requests: BackfillRequests;
  /** What this collector's stream of trades misses is noticed and fetched from now on. */
  follow(collector: BaseDataCollector): void;
}

/** Everything that fetches missing trades: gaps of the ledger, the time before a stream began, and what people ask for. */
export function openHealing({ recorder, factory, manager, clock, random, log }: HealingPorts): Healing {
  using opening = new DisposableStack();
  const collectorOf = (exchange: string, symbol: string) => manager.getCollector(`${exchange}:${symbol}`);
  const restOf = (exchange: string, symbol: string) => factory.restOf(exchange, collectorOf(exchange, symbol)?.config);
  const accept: AcceptTrade = (trade, provenance) => {
    const storeRaw = collectorOf(trade.exchange, trade.symbol)?.storeRawData ?? true;
    return recorder.accept(trade, { storeRaw, provenance });
  };
  const { gaps } = recorder;
  const ports = { ledger: gaps, accept, restOf, clock, random, log };
  const backfiller = opening.use(new Backfiller(ports));
  const reconciler = opening.use(new Reconciler(ports));
  const countIds = gaps.countIds.bind(gaps);
  const requests = opening.use(new BackfillRequests({ ledger: gaps, countIds, restOf, backfiller, clock, log }));
  for (const { exchange, symbol } of gaps.openMarkets()) backfiller.watch(exchange, symbol);
  const opened = opening.move();
  return {
    requests,
    follow: (collector) => {
      const { exchange, symbol } = collector;
      if (!collector.config.dataTypes.includes(DataType.TRADE)) return;
      collector.onStreamChange(({ dataType, carried, cause }) => {
        if (dataType !== DataType.TRADE) return;
        if (!carried) return reconciler.ended(exchange, symbol);
        backfiller.watch(exchange, symbol); // its address may have changed
        reconciler.began(exchange, symbol, cause);
      });
    },
    [Symbol.dispose]: () => opened.dispose(),
  };
}
