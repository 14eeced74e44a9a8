import { join } from 'node:path';
import type { BaseDataCollector } from './collectors/base-data-collector.ts';
import type { Config } from './config/config.ts';
import { EXCHANGES, isExchangeId } from './exchanges/registry.ts';
import { OtherWriters, REMEMBERED_MS } from './pipeline/feed/other-writers.ts';
import { TradeFeed } from './pipeline/feed/trade-feed.ts';
import type { TradeHistory } from './pipeline/feed/trade-request.ts';
import { LiveFeed } from './pipeline/live/live-feed.ts';
import { DEFAULT_SAMPLING, type Sampling } from './pipeline/live/sampler.ts';
import { Recorder } from './pipeline/recorder.ts';
import type { QueueRegistry } from './runtime/bounded-queue.ts';
import type { Clock, Random } from './runtime/clock.ts';
import { AppError } from './runtime/errors.ts';
import type { Gate } from './runtime/gate.ts';
import type { Log } from './runtime/log.ts';
import type { Tracer } from './runtime/tracing.ts';
import { loadTradeStretches, quarantine } from './storage/coverage-writer.ts';
import type { Database } from './storage/database.ts';
import { insertMarketData } from './storage/market-data.ts';
import { Spool } from './storage/spool/spool.ts';
import { loadStreamEnds } from './storage/stream-coverage.ts';
import { tracedCommits } from './storage/traced-commits.ts';
import { openTradeWriter, type TradeWriter } from './storage/trade-writer.ts';
import { currentPosition, tradesAfter } from './storage/trades.ts';
import { othersWrite, othersWroteSince } from './storage/writer-slot.ts';

interface RecordingPorts {
  readonly config: Config;
  readonly db: Database;
  readonly gate: Gate;
  readonly queues: QueueRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
  readonly log: Log;
}

export interface Recording extends AsyncDisposable {
  readonly recorder: Recorder;
  readonly tradeFeed: TradeFeed;
  readonly liveFeed: LiveFeed;
  /** Whether another server wrote to the same database at the start. */
  readonly othersActive: boolean;
  /** Every event of the collector is recorded from now on, and when its streams were carried. */
  record(collector: BaseDataCollector): BaseDataCollector;
}

const MIN_WAITING_TRADES = 4_096;

/**
 * Opens the way from an event to the database: spool, writer slot, recorder and what subscribers read. Disposing makes durable and
 * commits what it can.
 */
export async function openRecording(ports: RecordingPorts): Promise<Recording> {
  const { config, db, gate, queues, clock, random, tracer, log } = ports;
  await using opening = new AsyncDisposableStack();
  const limitBytes = config.database.spool_limit_mb * 1_048_576;
  const spool = opening.use(await Spool.open(join(config.data_dir, 'spool'), limitBytes, log));
  const { writer, foreignSpool } = await openWriter(db, clock, log, spool);
  opening.use(writer);
  const history: TradeHistory = { tradesAfter: (...query) => tradesAfter(db, ...query) };
  const tradeFeed = opening.use(new TradeFeed({ history, clock, position: await currentPosition(db) }));
  const othersActive = await othersWrite(db);
  // After trouble of the database another one may live and not hold its slot yet.
  const active = othersActive || (await othersWroteSince(db, clock.now() - REMEMBERED_MS));
  const others = opening.use(
    new OtherWriters(tradeFeed, history, {
      ...{ clock, log, active, othersWrite: () => othersWrite(db) },
    }),
  );
  const liveFeed = opening.use(new LiveFeed({ clock, queues }));
  let committed = () => false;
  opening.defer(() => letGo(committed(), writer, spool));
  const recorder = opening.use(
    await Recorder.open(
      {
        spool,
        foreignSpool,
        trades: {
          get writer() {
            return writer.writer;
          },
          get position() {
            return writer.position;
          },
          write: tracedCommits(tracer, (commit) => writer.write(commit)),
          prepare: (trades) => writer.prepare(trades),
          load: () => loadTradeStretches(db, writer.writer),
          quarantine: (row) => quarantine(db, row),
        },
        hasTradeIds,
        shared: () => others.active,
        broken: (error) =>
          queueMicrotask(() => {
            throw error; // ends the process as any failure nobody handles; the next start finds out what the disk holds
          }),
        marketData: {
          insert: (events, tails) => insertMarketData(db, events, { writer: writer.writer, tails }),
          ends: () => loadStreamEnds(db),
        },
        tradeFeed,
        liveFeed,
        gate,
        queues,
        clock,
        random,
        log,
      },
      { samplingOf: samplings(config), tradeCapacity: tradeCapacity(config) },
    ),
  );
  committed = () => recorder.status().trades.drain.batches === 0;
  opening.use(recorder.gaps.onChange((gap) => tradeFeed.gapChanged(gap)));
  const opened = opening.move();
  return {
    ...{ recorder, tradeFeed, liveFeed, othersActive },
    record: (collector) => record(collector, recorder),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The writer whose numbers the spool carries; a new one when the spool comes from another database. */
async function openWriter(db: Database, clock: Clock, log: Log, spool: Spool) {
  const { owner, writer: numbered } = spool;
  try {
    const writer = await openTradeWriter(db, clock, log, { owner, writer: numbered });
    if (numbered === null) await spool.setWriter(writer.writer);
    return { writer, foreignSpool: false };
  } catch (error) {
    if (numbered === null || !(error instanceof AppError) || error.code !== 'WRITER_FENCED') throw error;
    log.warn('The spool was filled for another database; what it holds is recorded here too', { writer: numbered });
    const writer = await openTradeWriter(db, clock, log, { owner, writer: null });
    await spool.setWriter(writer.writer);
    return { writer, foreignSpool: true };
  }
}

/** With everything committed, the next server may go on with our numbers. */
async function letGo(committed: boolean, writer: TradeWriter, spool: Spool): Promise<void> {
  if (!committed) return;
  await spool.setWriter(null);
  writer.disown();
}

const hasTradeIds = (exchange: string): boolean =>
  isExchangeId(exchange) && EXCHANGES[exchange].capabilities.tradeProof === 'TRADE_ID_CONTIGUITY';

/** Sockets are held back at half of it: that many trades may wait, which leaves room for what was read already. */
const tradeCapacity = (config: Config): number => {
  const wanted = config.exchanges.map(
    ({ data_collection, trading_pairs }) => data_collection.buffer_size * trading_pairs.length,
  );
  return (
    2 *
    Math.max(
      MIN_WAITING_TRADES,
      wanted.reduce((sum, one) => sum + one, 0),
    )
  );
};

/** How much of its market data each configured exchange keeps. */
function samplings(config: Config): (exchange: string) => Sampling {
  const byExchange = new Map<string, Sampling>(
    config.exchanges.map(({ exchange, data_collection: settings }) => [
      exchange,
      {
        ticker: settings.ticker_sample_interval,
        orderbook: settings.orderbook_sample_interval,
        bookLevels: settings.orderbook_stored_levels,
        formingCandles: settings.store_forming_candles,
      },
    ]),
  );
  return (exchange) => byExchange.get(exchange) ?? DEFAULT_SAMPLING;
}

function record(collector: BaseDataCollector, recorder: Recorder): BaseDataCollector {
  const { storeRawData: storeRaw, exchange, symbol } = collector;
  const { streams } = recorder;
  collector.onEvent((event) => recorder.accept(event, { storeRaw }));
  collector.onStreamChange(({ dataType, carried, at, cause }) => {
    const stream = { exchange, symbol, dataType };
    if (carried) streams.carried(stream, at);
    else if (!collector.shouldBeRunning) streams.ended(stream);
    else streams.lost(stream, at, collector.state === 'stopping' ? 'its collector was restarted' : cause);
  });
  collector.onStateChange(({ state }) => {
    if (state === 'stopped')
      for (const dataType of collector.config.dataTypes) streams.ended({ exchange, symbol, dataType });
  });
  return collector;
}
