import type { CandlePlace } from '../../src/candles/candle-change.ts';
import { CandleCursors } from '../../src/candles/candle-cursor.ts';
import { CandleFeed } from '../../src/candles/candle-feed.ts';
import type { CandleBatch } from '../../src/candles/candle-subscription.ts';
import type { CandleValues } from '../../src/market/candle.ts';
import type { CandleInterval, CandleWindow } from '../../src/market/candle-window.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Provenance, RecordedTrade } from '../../src/market/recorded-trade.ts';
import { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import { foldItem } from '../../src/pipeline/intake/fold-trades.ts';
import { ShownCoverage } from '../../src/pipeline/ledger/shown-coverage.ts';
import { TradeLedgers } from '../../src/pipeline/ledger/trade-ledgers.ts';
import { DEFAULT_DELIVERY, type Delivery } from '../../src/pipeline/stream/delivery.ts';
import type { Stream } from '../../src/pipeline/stream/stream.ts';
import { QueueRegistry } from '../../src/runtime/bounded-queue.ts';
import { basisByHand, candleByHand, newestByHand } from '../support/candle-by-hand.ts';
import { ManualClock, turn } from '../support/manual-clock.ts';

export const BEGIN = Date.UTC(2026, 0, 5);
export const SYMBOL = 'BTC-USDT';

/** A recorder in small: trades become known, durable and shown, and after that stored; candles are made of what was shown. */
export class CandleScene {
  readonly clock = new ManualClock(BEGIN - 3_600_000);
  readonly queues = new QueueRegistry();
  /** Everything that was shown, in order; the first `stored` of it are in the database. */
  readonly shown: RecordedTrade[] = [];
  stored = 0;
  ledgers = new TradeLedgers();
  feed: TradeFeed;
  coverage: ShownCoverage;
  candles: CandleFeed;
  reads = 0;
  databaseFailure: Error | null = null;
  /** Another server writes too. */
  shared = false;
  readonly #capacity: number;

  constructor(capacity = 64) {
    this.#capacity = capacity;
    [this.feed, this.coverage, this.candles] = this.#open();
  }

  /** Series of candles that follow the trades. */
  get followers(): number {
    return this.feed.followers;
  }

  /** The next server: it begins with what is stored. */
  restart(): void {
    this.candles[Symbol.dispose]();
    this.feed[Symbol.dispose]();
    this.stored = this.shown.length;
    [this.feed, this.coverage, this.candles] = this.#open();
  }

  /** One batch from the exchange to the subscribers; what the ledger knows already is left out. */
  record(trades: readonly Trade[], provenance: Provenance = 'LIVE'): void {
    const recordedAt = this.clock.now();
    const batch: RecordedTrade[] = [];
    for (const trade of trades) {
      const id = BigInt(trade.tradeId);
      if (this.ledgers.find(trade.exchange, trade.symbol)?.missing({ first: id, last: id }).length === 0) continue;
      const recorded = {
        ...{ trade, writer: 1, recordedAt, provenance },
        sequence: BigInt(this.shown.length + batch.length + 1),
      };
      foldItem(this.ledgers, { kind: 'trade', ...recorded, storeRaw: false }, () => true);
      batch.push(recorded);
    }
    this.shown.push(...batch);
    const changes = this.ledgers.takeChanges();
    this.feed.publish(batch);
    this.coverage.changed(changes);
  }

  giveUp(first: bigint, last: bigint): void {
    const now = this.clock.now();
    const range = { first, last };
    foldItem(
      this.ledgers,
      { kind: 'give-up', exchange: 'okx', symbol: SYMBOL, range, cause: 'gone', now, wasTaken: false },
      () => true,
    );
    this.coverage.changed(this.ledgers.takeChanges());
  }

  /** The candle of a window by its definition, of all that was shown. */
  byHand(window: CandleWindow, symbol = SYMBOL): CandleValues | null {
    const own = this.shown.filter(({ trade }) => trade.symbol === symbol);
    return candleByHand(own, window, { endInclusive: false, asOf: null });
  }

  #open(): [TradeFeed, ShownCoverage, CandleFeed] {
    const position = new Map([[1, BigInt(this.stored)]]);
    const feed = new TradeFeed({ history: this.#history, clock: this.clock, position, capacity: this.#capacity });
    const coverage = new ShownCoverage({ ledgers: this.ledgers, isShown: () => !this.shared });
    const candles = new CandleFeed({
      ...{ trades: feed, coverage, clock: this.clock, queues: this.queues },
      readCandleBases: async ({ symbol, windows, position: at }) => {
        await this.#read();
        const upTo = at.get(1) ?? 0n;
        if (upTo > BigInt(this.stored)) return null;
        const own = this.shown.filter(({ trade, sequence }) => trade.symbol === symbol && sequence <= upTo);
        return windows.map((window) => basisByHand(own, window));
      },
      newestTimes: async (_exchange, symbols) => {
        await this.#read();
        const stored = this.shown.slice(0, this.stored);
        return new Map(symbols.map((symbol) => [symbol, newestByHand(stored, symbol)]));
      },
    });
    return [feed, coverage, candles];
  }

  async #read(): Promise<void> {
    this.reads += 1;
    await turn();
    if (this.databaseFailure) throw this.databaseFailure;
  }

  readonly #history = {
    tradesAfter: async (
      position: ReadonlyMap<number, bigint>,
      filter: { symbols: readonly string[] | null },
      limit: number,
    ) => {
      await this.#read();
      const from = Number(position.get(1) ?? 0n);
      const page = this.shown.slice(from, Math.min(this.stored, from + limit));
      const trades = page.filter(({ trade }) => filter.symbols === null || filter.symbols.includes(trade.symbol));
      return { trades, position: new Map([[1, BigInt(from + page.length)]]), done: from + page.length >= this.stored };
    },
  };
}

/** A client that keeps what it was told, as text for people, and the last state of each candle. */
export class CandleClient {
  readonly told: string[] = [];
  readonly batches: CandleBatch[] = [];
  readonly candles = new Map<string, CandleBatch['changes'][number]>();
  readonly closed = new Map<string, number>();
  failure: unknown = null;
  cursor: string | null = null;
  readonly #scene: CandleScene;
  readonly #how: { interval: CandleInterval; symbols: readonly string[]; includeForming: boolean; delivery: Delivery };
  #stream: Stream<CandleBatch> | null = null;
  /** Whether it asks for more. */
  reads = true;

  constructor(scene: CandleScene, how: Partial<CandleClient['how']> = {}) {
    this.#scene = scene;
    this.#how = { interval: '1m', symbols: [SYMBOL], includeForming: true, delivery: DEFAULT_DELIVERY, ...how };
    this.connect();
  }

  get how() {
    return this.#how;
  }

  connect(): void {
    const { interval, symbols } = this.#how;
    const cursors = new CandleCursors({ exchange: 'okx', symbols, interval });
    const after: CandlePlace | null = this.cursor === null ? null : cursors.decode(this.cursor);
    this.#stream = this.#scene.candles.subscribe({ exchange: 'okx', ...this.#how, after });
    void this.#follow(this.#stream, cursors);
  }

  async leave(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    await stream?.return();
  }

  /** Times are minutes after BEGIN. */
  take(): string[] {
    return this.told.splice(0);
  }

  async #follow(stream: Stream<CandleBatch>, cursors: CandleCursors): Promise<void> {
    try {
      for (;;) {
        while (!this.reads && stream === this.#stream) await turn();
        const { value: batch } = await stream.next();
        if (batch === undefined || stream !== this.#stream) return;
        this.batches.push(batch);
        this.cursor = cursors.encode(batch.place);
        for (const change of batch.changes) this.#note(change);
      }
    } catch (error) {
      this.failure = error;
    }
  }

  #note(change: CandleBatch['changes'][number]): void {
    const { type, candle, previous } = change;
    const key = `${candle.symbol} ${candle.closeTime}`;
    this.candles.set(key, change);
    if (type === 'CLOSED') this.closed.set(key, (this.closed.get(key) ?? 0) + 1);
    const minutes = (candle.closeTime - BEGIN) / 60_000;
    const before = previous ? ` was ${previous.values?.close ?? 'empty'}` : '';
    this.told.push(
      `${type} ${minutes} ${candle.values?.close ?? 'empty'} ${candle.state} ${candle.completeness} r${candle.values?.revision ?? 0}${before}`,
    );
  }
}
