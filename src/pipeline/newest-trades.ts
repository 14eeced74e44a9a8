import type { RecordedTrade } from '../market/recorded-trade.ts';

/**
 * The newest trade of each instrument since the last take. Newest by exchange time, then by commit: a backfilled trade never
 * replaces a younger one, also not one that was taken before. Holds one entry an instrument.
 */
export class NewestTrades {
  readonly #waiting = new Map<string, RecordedTrade>();
  readonly #newestTime = new Map<string, number>();
  #conflated = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** How many trades since the last take gave way to a newer one. */
  get conflated(): number {
    return this.#conflated;
  }

  put(recorded: RecordedTrade): void {
    const { exchange, symbol, exchangeTime } = recorded.trade;
    const instrument = `${exchange}:${symbol}`;
    if (exchangeTime < (this.#newestTime.get(instrument) ?? Number.NEGATIVE_INFINITY)) {
      this.#conflated += 1;
      return;
    }
    this.#newestTime.set(instrument, exchangeTime);
    if (this.#waiting.delete(instrument)) this.#conflated += 1; // and back at the end: the order is that of commits
    this.#waiting.set(instrument, recorded);
  }

  take(): readonly RecordedTrade[] {
    const taken = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#conflated = 0;
    return taken;
  }
}
