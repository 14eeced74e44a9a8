import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { TradeFeed, TradeHistory } from './trade-feed.ts';

/** A subscriber of this server sees the trades of another one on the same database this late, at most. */
const LOOK_EVERY_MS = 500;
const PAGE = 1_000;

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
  #active: boolean;

  /** `active`: whether there is another one at the start. */
  constructor(feed: TradeFeed, history: TradeHistory, { clock, log, othersWrite, active }: OtherWritersOptions) {
    this.#feed = feed;
    this.#history = history;
    this.#log = log;
    this.#othersWrite = othersWrite;
    this.#active = active;
    this.#timer = clock.every(LOOK_EVERY_MS, () => {
      if (!this.#looking) void this.#look();
    });
  }

  /** Whether another server writes to the database; known this late at most: LOOK_EVERY_MS. */
  get active(): boolean {
    return this.#active;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      this.#active = await this.#othersWrite();
      for (let done = false; !done && !this.#disposed; ) {
        const page = await this.#history.tradesAfter(this.#feed.position, { exchange: null, symbols: null }, PAGE);
        this.#feed.publish(page.trades, page.position);
        done = page.done;
      }
    } catch (error) {
      this.#log.debug('Other servers cannot be followed for now', { reason: messageOf(error) });
    } finally {
      this.#looking = false;
    }
  }
}
