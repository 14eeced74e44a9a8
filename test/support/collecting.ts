import type { BaseDataCollector } from '../../src/collectors/base-data-collector.ts';
import type { ExchangeCollectorConfig } from '../../src/collectors/collector-status.ts';
import { ExchangeFactory } from '../../src/collectors/exchange-factory.ts';
import type { ConnectionConfig, Credentials } from '../../src/exchanges/adapter.ts';
import type { MarketEvent, Trade } from '../../src/market/market-event.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';

export interface Collecting extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly factory: ExchangeFactory;
  readonly gate: Gate;
  /** A collector whose events are kept. */
  collector(config: Partial<ExchangeCollectorConfig> & { readonly symbol: string }): Kept;
}

export interface Kept {
  readonly collector: BaseDataCollector;
  readonly events: MarketEvent[];
  trades(): readonly Trade[];
}

interface Options {
  readonly simulator?: Partial<SimulatorOptions>;
  readonly connection?: Partial<ConnectionConfig>;
  readonly credentials?: Credentials;
}

/** A simulated exchange and a factory that reaches it over real sockets. */
export async function startCollecting(exchange: 'okx' | 'binance', options: Options = {}): Promise<Collecting> {
  await using opening = new AsyncDisposableStack();
  const simulator = opening.use(await startSimulator({ exchange, rate: 100, ...options.simulator }));
  const gate = new Gate();
  const factory = opening.use(
    new ExchangeFactory({
      gate,
      connections: { [exchange]: { ...simulator.connection, ...options.connection } },
      credentials: options.credentials ? { [exchange]: options.credentials } : {},
    }),
  );
  const opened = opening.move();
  const collectors: BaseDataCollector[] = [];
  return {
    simulator,
    factory,
    gate,
    collector: (config) => {
      const collector = factory.createCollector({ exchange, dataTypes: ['trade'], ...config });
      const events: MarketEvent[] = [];
      collector.onEvent((event) => events.push(event));
      collectors.push(collector);
      return { collector, events, trades: () => events.filter((event) => event.kind === 'trade') };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(collectors.map((collector) => collector.stop({ force: true })));
      await opened.disposeAsync();
    },
  };
}

/** Ids that are missing between the first and the last trade, whatever the order and repetitions. */
export function missingIds(trades: readonly Trade[]): readonly bigint[] {
  const covered = new Set<bigint>();
  for (const { tradeId, fillCount } of trades)
    for (let back = 0; back < fillCount; back++) covered.add(BigInt(tradeId) - BigInt(back));
  const sorted = [...covered].sort((a, b) => (a < b ? -1 : 1));
  const missing: bigint[] = [];
  for (const [index, id] of sorted.entries())
    for (let gap = (sorted[index - 1] ?? id - 1n) + 1n; gap < id; gap++) missing.push(gap);
  return missing;
}
