import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { TradeFeed, TradeHistory } from './trade-feed.ts';

/** A subscriber of this server sees the trades of another one on the same database this late, at most. */
const LOOK_EVERY_MS = 500;
const PAGE = 1_000;

/**
 * Brings what other servers record into the feed of this one, as during a rolling restart. What this server recorded itself
 * may come along: the feed knows it already. While the database is away nothing comes, and nothing is skipped.
 */
export class OtherWriters implements Disposable {
  readonly #feed: TradeFeed;
  readonly #history: TradeHistory;
  readonly #log: Log;
  readonly #timer: Disposable;
  #looking = false;
  #disposed = false;

  constructor(feed: TradeFeed, history: TradeHistory, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#feed = feed;
    this.#history = history;
    this.#log = log;
    this.#timer = clock.every(LOOK_EVERY_MS, () => {
      if (!this.#looking) void this.#look();
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      for (let done = false; !done && !this.#disposed; ) {
        const page = await this.#history.tradesAfter(this.#feed.position, { exchange: null, symbols: null }, PAGE);
        this.#feed.publish(page.trades);
        done = page.done || page.trades.length === 0;
      }
    } catch (error) {
      this.#log.debug('Other servers cannot be followed for now', { reason: messageOf(error) });
    } finally {
      this.#looking = false;
    }
  }
}
