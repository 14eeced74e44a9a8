import type { MarketEvent, Trade } from '../market/market-event.ts';
import type { Provenance, RecordedTrade } from '../market/recorded-trade.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Gate } from '../runtime/gate.ts';
import type { Log } from '../runtime/log.ts';
import { BatchWriter, type BatchWriterStatus } from './batch-writer.ts';
import type { LiveEvent, LiveFeed } from './live-feed.ts';
import { RecentIds } from './recent-ids.ts';
import { DEFAULT_SAMPLING, Sampler, type Sampling } from './sampler.ts';
import type { TradeFeed } from './trade-feed.ts';

/**
 * Where trades become durable. Errors whose code says `retry` mean that the same batch may be stored later; any other says
 * that a row of the batch never will be, and must not be thrown for a database that is merely away, full or read-only.
 */
export interface TradeStore {
  /** Stores the batch, wholly or not at all, and returns those that were new, in sequence order. Safe to repeat. */
  write(
    batch: readonly { readonly trade: Trade; readonly provenance: Provenance; readonly storeRaw: boolean }[],
  ): Promise<readonly RecordedTrade[]>;
}

/** Where sampled market data goes; errors mean the same as a TradeStore's. */
export interface MarketDataStore {
  insert(events: readonly LiveEvent[]): Promise<unknown>;
}

export interface RecorderPorts {
  readonly trades: TradeStore;
  readonly marketData: MarketDataStore;
  readonly tradeFeed: TradeFeed;
  readonly liveFeed: LiveFeed;
  /** Closed while too many trades wait, so that sockets are not read until some are stored. */
  readonly gate: Gate;
  readonly queues: QueueRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface RecorderOptions {
  /** Per exchange; default DEFAULT_SAMPLING. */
  readonly samplingOf?: (exchange: string) => Sampling;
  /** Trades that may wait; default 32,768. The gate closes at half of it, which leaves room for what sockets have already read. */
  readonly tradeCapacity?: number;
  /** Rows of one write; default 2,000. */
  readonly maxRows?: number;
  /** ms a trade waits for company; default 4. */
  readonly lingerMs?: number;
  /** ms for the last rows when disposed; default 5,000. */
  readonly drainMs?: number;
}

export interface RecorderStatus {
  readonly trades: BatchWriterStatus;
  readonly marketData: BatchWriterStatus;
  /** Trades that came again within a short while and were turned away before storage. */
  readonly repeated: number;
  /** Trades turned away because the queue was full although the gate was closed; each one is a loss. */
  readonly turnedAway: number;
}

const GATE_NAME = 'trades waiting for the database';

interface TradeRow {
  readonly trade: Trade;
  readonly provenance: Provenance;
  readonly storeRaw: boolean;
  readonly acceptedAt: number;
}

interface MarketDataEntry {
  readonly event: LiveEvent;
  readonly acceptedAt: number;
}

/** The one door for market events: trades are stored, then published; the rest is live at once and stored in samples. */
export class Recorder implements AsyncDisposable {
  readonly #ports: RecorderPorts;
  readonly #drainMs: number;
  readonly #recent = new RecentIds();
  readonly #trades: BatchWriter<TradeRow, readonly RecordedTrade[]>;
  readonly #marketData: BatchWriter<MarketDataEntry, unknown>;
  readonly #sampler: Sampler;
  #repeated = 0;
  #turnedAway = 0;

  constructor(ports: RecorderPorts, options: RecorderOptions = {}) {
    const { tradeCapacity = 32_768, maxRows = 2_000, lingerMs = 4, drainMs = 5_000 } = options;
    this.#ports = ports;
    this.#drainMs = drainMs;
    this.#trades = new BatchWriter(
      {
        name: 'trades',
        capacity: tradeCapacity,
        policy: 'refuse',
        maxRows,
        lingerMs,
        write: (rows) => ports.trades.write(rows),
        onStored: (recorded) => ports.tradeFeed.publish(recorded),
        onRefused: ({ trade }) => this.#recent.forget(trade),
        describe: ({ trade }) => `${trade.exchange}:${trade.symbol} trade ${trade.tradeId}`,
        onLevel: (held) => {
          if (held >= tradeCapacity / 2) ports.gate.set(GATE_NAME, false);
          else if (held <= tradeCapacity / 4) ports.gate.set(GATE_NAME, true);
        },
      },
      ports,
    );
    this.#marketData = new BatchWriter(
      {
        name: 'market data samples',
        capacity: 8_192,
        policy: 'drop-oldest',
        maxRows: 500,
        lingerMs: 100,
        write: (rows) => ports.marketData.insert(rows.map(({ event }) => event)),
        onStored: () => {},
        onRefused: () => {},
        describe: ({ event }) => `${event.exchange}:${event.symbol} ${event.kind}`,
        onLevel: () => {},
      },
      ports,
    );
    this.#sampler = new Sampler(options.samplingOf ?? (() => DEFAULT_SAMPLING), ports.clock, (event) =>
      this.#marketData.offer({ event, acceptedAt: ports.clock.monotonic() }),
    );
  }

  /**
   * Takes one event; cheap, never waits. False when a trade could not be taken (full or disposed): it is lost unless it is
   * fetched again. A repeated trade is taken and forgotten.
   */
  accept(event: MarketEvent, options: { readonly storeRaw: boolean; readonly provenance?: Provenance }): boolean {
    if (event.kind === 'trade') return this.#acceptTrade(event, options.storeRaw, options.provenance ?? 'LIVE');
    this.#ports.liveFeed.publish(event);
    this.#sampler.accept(event);
    return true;
  }

  status(): RecorderStatus {
    return {
      trades: this.#trades.status(),
      marketData: this.#marketData.status(),
      repeated: this.#repeated,
      turnedAway: this.#turnedAway,
    };
  }

  /** Stores what was taken, within the deadline; what could not be stored by then is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sampler[Symbol.dispose]();
    const [trades, marketData] = await Promise.all([
      this.#trades.stop(this.#drainMs),
      this.#marketData.stop(this.#drainMs),
    ]);
    this.#ports.gate.set(GATE_NAME, true);
    if (trades + marketData > 0)
      this.#ports.log.error('Rows were left unstored at the shutdown deadline', { trades, marketData });
  }

  #acceptTrade(trade: Trade, storeRaw: boolean, provenance: Provenance): boolean {
    if (this.#recent.seen(trade)) {
      this.#repeated += 1;
      return true;
    }
    if (this.#trades.offer({ trade, provenance, storeRaw, acceptedAt: this.#ports.clock.monotonic() })) return true;
    this.#recent.forget(trade);
    this.#turnedAway += 1;
    return false;
  }
}
