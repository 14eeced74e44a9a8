import { type Candle, GRACE_MS } from '../market/candle.ts';
import type { CandleInterval } from '../market/candle-window.ts';
import { windowAt } from '../market/candle-window.ts';
import type { CandleBasis } from '../market/growing-candle.ts';
import type { TradeFeed } from '../pipeline/feed/trade-feed.ts';
import type { TradeBatch } from '../pipeline/feed/trade-request.ts';
import type { CoverageWatch, ShownCoverage } from '../pipeline/ledger/shown-coverage.ts';
import type { Alarm } from '../pipeline/stream/alarm.ts';
import { DEFAULT_DELIVERY } from '../pipeline/stream/delivery.ts';
import type { Notice } from '../pipeline/stream/notice.ts';
import type { Clock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import type { CandleBasisQuery } from '../storage/candle-basis.ts';
import type { Position } from '../storage/trades.ts';
import type { CandlePlace, CandleUpdate } from './candle-change.ts';
import { type Claims, MarketCandles } from './market-candles.ts';

/** Candles of one length of some markets of one exchange. */
export interface CandleSelection {
  readonly exchange: string;
  /** In one order, each once. */
  readonly symbols: readonly string[];
  readonly interval: CandleInterval;
}

export interface CandleSeriesPorts {
  readonly trades: Pick<TradeFeed, 'follow' | 'position'>;
  readonly coverage: Pick<ShownCoverage, 'watch'>;
  /** As in storage/candle-basis.ts. */
  readCandleBases(query: CandleBasisQuery): Promise<readonly (CandleBasis | null)[] | null>;
  newestTimes(exchange: string, symbols: readonly string[]): Promise<ReadonlyMap<string, number>>;
  readonly clock: Clock;
  readonly alarm: Alarm;
}

/** Most candles that change between two updates, and closed ones that are kept. */
const MOST_CHANGED = 10_000;
const MOST_KEPT = 2_048;
const LOAD_AT_ONCE = 1_000;
/** Storage that has not yet stored what was shown is asked again after this. */
const STORAGE_BEHIND_MS = 100;
const STORAGE_LATE_MS = 30_000;
/** So long trades may keep coming in one breath before candles are told of without a claim to be complete. */
const PATIENCE_MS = 1_000;
/** A clock that is set forward closes a long candle this late at most. */
const LOOK_EVERY_MS = 60_000;

interface Market {
  readonly symbol: string;
  readonly candles: MarketCandles;
  readonly watch: CoverageWatch;
}

/**
 * Follows the trades of some markets in commit order and makes their candles, one update after the other. An update is told when
 * all trades that were shown are in it, so that what it says of completeness is true at that moment; what is read again from
 * storage after a cursor therefore comes as one update, each candle once.
 */
export class CandleSeries implements Disposable {
  readonly #selection: CandleSelection;
  readonly #ports: CandleSeriesPorts;
  readonly #told: (update: CandleUpdate) => void;
  readonly #follower: ReturnType<CandleSeriesPorts['trades']['follow']>;
  readonly #markets: ReadonlyMap<string, Market>;
  readonly #ending = new AbortController();
  #position: Position;
  #place: CandlePlace;
  #notices: Notice[] = [];
  /** One piece of work after the other. */
  #work: Promise<void> = Promise.resolve();
  #busy = 0;
  #isOpen = false;
  #isLive = false;
  #isTicking = false;
  #lastTold: number;

  /** `start`: where to go on; null: from now on. */
  constructor(
    selection: CandleSelection,
    start: CandlePlace | null,
    ports: CandleSeriesPorts,
    listener: { told(update: CandleUpdate): void; ended(error: unknown): void },
  ) {
    this.#selection = selection;
    this.#ports = ports;
    this.#told = (update) => listener.told(update);
    const { exchange, symbols, interval } = selection;
    const closed = windowAt({ interval, timeZone: 'UTC', anchor: null }, ports.clock.now() - GRACE_MS).openTime;
    this.#markets = new Map(
      symbols.map((symbol) => {
        const closedThrough = start?.closed.get(symbol) ?? closed;
        const candles = new MarketCandles({ exchange, symbol, interval }, closedThrough, MOST_KEPT / symbols.length);
        const watch = ports.coverage.watch(exchange, symbol, () => {
          candles.recheck();
          this.#tick();
        });
        return [symbol, { symbol, candles, watch }];
      }),
    );
    this.#lastTold = ports.clock.monotonic();
    this.#follower = ports.trades.follow({
      filter: { exchange, symbols },
      after: start?.position ?? ports.trades.position,
      delivery: DEFAULT_DELIVERY,
    });
    this.#position = this.#follower.position;
    this.#place = this.#here();
    this.#run(start !== null).catch((error: unknown) => {
      if (!this.#ending.signal.aborted) listener.ended(error);
      this[Symbol.dispose]();
    });
  }

  /** Where the last update led. */
  get place(): CandlePlace {
    return this.#place;
  }

  /** Whether the last update told of all there is and nothing is under way. */
  get isSettled(): boolean {
    return this.#isOpen && this.#busy === 0 && this.#follower.isCaughtUpAt(this.#position) && this.#changed === 0;
  }

  /** The candles that are forming; null until the first update. */
  get forming(): readonly Candle[] | null {
    return this.#isOpen ? [...this.#markets.values()].flatMap(({ candles }) => candles.forming) : null;
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#ports.alarm.cancel(this.#tick);
    void this.#follower.stream.return();
    for (const { watch } of this.#markets.values()) watch[Symbol.dispose]();
  }

  async #run(resumes: boolean): Promise<void> {
    await this.#do(() => this.#open());
    for await (const batch of this.#follower.stream)
      await this.#do(() => this.#take(resumes ? batch : { ...batch, notices: batch.notices.filter(isNews) }));
  }

  readonly #tick = (): void => {
    if (!this.#isOpen || this.#isTicking || this.#ending.signal.aborted) return;
    this.#isTicking = true;
    const tick = async () => {
      this.#isTicking = false;
      await this.#tell();
    };
    this.#do(tick).catch(() => {}); // the loop that waits for trades hears of it
  };

  /** What fails ends the series. */
  #do(work: () => Promise<void>): Promise<void> {
    this.#busy += 1;
    this.#work = this.#work.then(work).finally(() => {
      this.#busy -= 1;
    });
    this.#work.catch((error: unknown) => {
      if (!this.#ending.signal.aborted) this.#follower.stream.fail(error);
    });
    return this.#work;
  }

  /** Reads what storage holds of the candles that are open. */
  async #open(): Promise<void> {
    const { exchange, symbols } = this.#selection;
    const now = this.#ports.clock.now();
    for (const market of this.#markets.values()) {
      this.#refuseTooMany(market, now);
      await this.#load(market, market.candles.unknownUntil(now), this.#position);
    }
    // Read after it was seen that storage has all up to our position.
    const ends = await this.#ports.newestTimes(exchange, symbols);
    for (const { symbol, candles } of this.#markets.values())
      candles.endsAt(ends.get(symbol) ?? Number.NEGATIVE_INFINITY);
    this.#isOpen = true;
  }

  async #take(batch: TradeBatch): Promise<void> {
    for (const [symbol, trades] of Map.groupBy(batch.trades, ({ trade }) => trade.symbol)) {
      const market = this.#markets.get(symbol);
      if (market === undefined) continue;
      await this.#load(market, market.candles.unknown(trades.map(({ trade }) => trade.exchangeTime)), batch.before);
      for (const recorded of trades) market.candles.add(recorded);
    }
    this.#position = batch.position;
    this.#isLive = batch.phase === 'LIVE';
    this.#notices.push(...batch.notices);
    if (this.#changed > MOST_CHANGED) throw tooMany();
    await this.#tell();
  }

  async #tell(): Promise<void> {
    const { clock } = this.#ports;
    const now = clock.now();
    const due = [...this.#markets.values()].filter(({ candles }) => candles.isDue(now));
    for (const market of due) {
      this.#refuseTooMany(market, now);
      await this.#load(market, market.candles.unknownUntil(now), this.#position);
    }
    if (this.#ending.signal.aborted) return; // while storage answered: nobody listens, and nothing may wake us again
    const isCaughtUp = this.#follower.isCaughtUpAt(this.#position);
    const isOverdue = this.#isLive && clock.monotonic() - this.#lastTold > PATIENCE_MS;
    if (!isCaughtUp && !isOverdue) return; // the batch that is on its way brings us here again
    const changes = due.flatMap(({ candles, watch }) =>
      candles.tell(now, isCaughtUp ? (range) => watch.intervals(range) : NO_CLAIMS),
    );
    const notices = this.#notices;
    this.#notices = [];
    this.#place = this.#here();
    this.#lastTold = clock.monotonic();
    this.#armTick(now);
    this.#told({ changes, notices, place: this.#place });
  }

  #armTick(now: number): void {
    const { clock, alarm } = this.#ports;
    const next = Math.min(...[...this.#markets.values()].map(({ candles }) => candles.closesAt));
    alarm.wakeBy(clock.monotonic() + Math.min(Math.max(next - now, 0) + 1, LOOK_EVERY_MS), this.#tick);
  }

  /** Takes in what storage holds of candles at a position; waits until it has come that far. */
  async #load({ symbol, candles, watch }: Market, windows: ReturnType<MarketCandles['unknown']>, position: Position) {
    const { exchange } = this.#selection;
    for (let start = 0; start < windows.length; start += LOAD_AT_ONCE) {
      const some = windows.slice(start, start + LOAD_AT_ONCE);
      const query = { exchange, symbol, windows: some, position };
      let bases = await this.#ports.readCandleBases(query);
      for (let waited = 0, wait = STORAGE_BEHIND_MS; bases === null; waited += wait, wait = Math.min(2 * wait, 1_000)) {
        if (waited > STORAGE_LATE_MS) throw storageLate();
        await this.#ports.clock.sleep(wait, this.#ending.signal);
        bases = await this.#ports.readCandleBases(query);
      }
      for (const [k, window] of some.entries())
        candles.adopt(window, bases[k] ?? null, (range) => watch.intervals(range));
    }
  }

  #refuseTooMany({ candles }: Market, now: number): void {
    if (candles.closing(now) * this.#markets.size > MOST_CHANGED) throw tooMany();
  }

  get #changed(): number {
    return this.#markets.values().reduce((sum, { candles }) => sum + candles.changed, 0);
  }

  #here(): CandlePlace {
    const closed = new Map([...this.#markets].map(([symbol, { candles }]) => [symbol, candles.closedThrough]));
    return { position: this.#position, closed };
  }
}

const NO_CLAIMS: Claims = () => null;
const isNews = ({ type }: Notice): boolean => type !== 'CAUGHT_UP';

const storageLate = (): AppError =>
  new AppError(
    'DATABASE_UNAVAILABLE',
    'What came before the cursor is not stored yet: come back with it in a moment, or subscribe without `after`',
  );

const tooMany = (): AppError =>
  new AppError(
    'CURSOR_EXPIRED',
    `More than ${MOST_CHANGED} candles changed since the cursor: read them with the query \`candles\`, and subscribe without \`after\``,
  );
