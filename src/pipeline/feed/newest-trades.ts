import type { RecordedTrade } from '../../market/recorded-trade.ts';

/** What one instrument has. */
interface Place {
  newestTime: number;
  /** Null when it was taken. */
  waiting: RecordedTrade | null;
}

/**
 * The newest trade of each instrument since the last take. Newest by exchange time, then by commit: a backfilled trade never
 * replaces a younger one, also not one that was taken before. Holds one entry an instrument.
 */
export class NewestTrades {
  readonly #exchanges = new Map<string, Map<string, Place>>(); // no joined key: put() runs for every trade of the market
  readonly #waiting = new Set<Place>();
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
    const place = this.#place(exchange, symbol);
    if (exchangeTime < place.newestTime) {
      this.#conflated += 1;
      return;
    }
    place.newestTime = exchangeTime;
    place.waiting = recorded;
    if (this.#waiting.delete(place)) this.#conflated += 1; // and back at the end: the order is that of commits
    this.#waiting.add(place);
  }

  take(): readonly RecordedTrade[] {
    const taken: RecordedTrade[] = [];
    for (const place of this.#waiting) {
      if (place.waiting) taken.push(place.waiting);
      place.waiting = null;
    }
    this.#waiting.clear();
    this.#conflated = 0;
    return taken;
  }

  #place(exchange: string, symbol: string): Place {
    const symbols = this.#exchanges.get(exchange) ?? new Map<string, Place>();
    if (symbols.size === 0) this.#exchanges.set(exchange, symbols);
    const place = symbols.get(symbol) ?? { newestTime: Number.NEGATIVE_INFINITY, waiting: null };
    if (place.newestTime === Number.NEGATIVE_INFINITY) symbols.set(symbol, place);
    return place;
  }
}
