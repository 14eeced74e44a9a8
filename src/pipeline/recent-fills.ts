import type { Trade } from '../market/market-event.ts';
import { type FillRange, fillRange } from '../market/packed-trades.ts';

/** Records remembered of one market: some seconds of the liveliest. */
const REMEMBERED = 1_024;
/** Markets remembered of one exchange; far above what one process collects, so only a stray one is forgotten. */
const MAX_MARKETS = 10_000;

interface Ring {
  readonly trades: Trade[];
  next: number;
}

/** The newest trades of each market with their sizes, to work out what of a packed one is new. */
export class RecentFills {
  readonly #exchanges = new Map<string, Map<string, Ring>>(); // no joined key: it is asked for every trade

  put(trade: Trade): void {
    const ring = this.#exchanges.get(trade.exchange)?.get(trade.symbol) ?? this.#open(trade);
    ring.trades[ring.next] = trade;
    ring.next = (ring.next + 1) % REMEMBERED;
  }

  /** Those of a market that share an id with the range. */
  touching({ exchange, symbol }: Trade, { first, last }: Pick<FillRange, 'first' | 'last'>): readonly FillRange[] {
    const trades = this.#exchanges.get(exchange)?.get(symbol)?.trades ?? [];
    return trades.flatMap((trade) => {
      const range = fillRange(trade);
      return range !== null && range.first <= last && range.last >= first ? [range] : [];
    });
  }

  #open({ exchange, symbol }: Trade): Ring {
    const markets = this.#exchanges.get(exchange) ?? new Map<string, Ring>();
    this.#exchanges.set(exchange, markets);
    const [oldest] = markets.size === MAX_MARKETS ? markets.keys() : [];
    if (oldest !== undefined) markets.delete(oldest);
    const ring: Ring = { trades: [], next: 0 };
    markets.set(symbol, ring);
    return ring;
  }
}
