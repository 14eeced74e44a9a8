import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { TradeFeed } from './trade-feed.ts';
import type { TradeHistory } from './trade-request.ts';

/** A subscriber of this server sees the trades of another one on the same database this late, at most. */
const LOOK_EVERY_MS = 500;
const PAGE = 1_000;
/**
 * Another server counts as active this long after it was last seen: while the database comes back each of them claims its slot when
 * it gets to it, and one that took itself for alone would show trades the other one is about to commit.
 */
export const REMEMBERED_MS = 60_000;

interface OtherWritersOptions {
  readonly clock: Clock;
  readonly log: Log;
  othersWrite(): Promise<boolean>;
  readonly active: boolean;
}

/**
 * Brings what other servers record into the feed of this one, as during a rolling restart. What this server recorded itself
 * may come along: the feed knows it already. While the database is away nothing comes, and nothing is skipped.
 */
export class OtherWriters implements Disposable {
  readonly #feed: TradeFeed;
  readonly #history: TradeHistory;
  readonly #log: Log;
  readonly #othersWrite: () => Promise<boolean>;
  readonly #timer: Disposable;
  #looking = false;
  #disposed = false;
  readonly #clock: Clock;
  /** Monotonic ms; null: never. */
  #lastSeen: number | null;

  /** `active`: whether there is another one at the start, or was one a while ago. */
  constructor(feed: TradeFeed, history: TradeHistory, { clock, log, othersWrite, active }: OtherWritersOptions) {
    this.#feed = feed;
    this.#history = history;
    this.#log = log;
    this.#othersWrite = othersWrite;
    this.#clock = clock;
    this.#lastSeen = active ? clock.monotonic() : null;
    this.#timer = clock.every(LOOK_EVERY_MS, () => {
      if (!this.#looking) void this.#look();
    });
  }

  /** Whether another server writes to the database, or did a while ago. It is noticed within LOOK_EVERY_MS. */
  get active(): boolean {
    return this.#lastSeen !== null && this.#clock.monotonic() - this.#lastSeen < REMEMBERED_MS;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      if (await this.#othersWrite()) this.#lastSeen = this.#clock.monotonic();
      for (let done = false; !done && !this.#disposed; ) {
        const page = await this.#history.tradesAfter(this.#feed.position, { exchange: null, symbols: null }, PAGE);
        this.#feed.publish(page.trades, page.position);
        done = page.done;
      }
    } catch (error) {
      if (this.active) this.#lastSeen = this.#clock.monotonic(); // nobody knows how it is, so it stays as it was
      this.#log.debug('Other servers cannot be followed for now', { reason: messageOf(error) });
    } finally {
      this.#looking = false;
    }
  }
}
