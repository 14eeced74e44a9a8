import type { Decimal } from '../../market/decimal.ts';
import type { Trade } from '../../market/market-event.ts';
import { type FillRange, fillRange } from '../../market/packed-trades.ts';

/** Records remembered of one market: some seconds of the liveliest. */
const REMEMBERED = 1_024;
/** Markets remembered of one exchange; far above what one process collects, so only a stray one is forgotten. */
const MAX_MARKETS = 10_000;

/** By place, and not a list of trades, which would stay alive for it. */
interface Ring {
  readonly tradeId: string[];
  readonly fillCount: number[];
  readonly size: Decimal[];
  next: number;
}

/** The newest trades of each market with their sizes, to work out what of a packed one is new. */
export class RecentFills {
  readonly #exchanges = new Map<string, Map<string, Ring>>(); // no joined key: it is asked for every trade

  put(trade: Trade): void {
    const ring = this.#exchanges.get(trade.exchange)?.get(trade.symbol) ?? this.#open(trade);
    ring.tradeId[ring.next] = trade.tradeId;
    ring.fillCount[ring.next] = trade.fillCount;
    ring.size[ring.next] = trade.size;
    ring.next = (ring.next + 1) % REMEMBERED;
  }

  /** Those of a market that share an id with the range. */
  touching({ exchange, symbol }: Trade, { first, last }: Pick<FillRange, 'first' | 'last'>): readonly FillRange[] {
    const ring = this.#exchanges.get(exchange)?.get(symbol);
    if (!ring) return [];
    return ring.size.flatMap((size, place) => {
      const [tradeId = '', fillCount = 1] = [ring.tradeId[place], ring.fillCount[place]];
      const range = fillRange({ tradeId, fillCount, size });
      return range !== null && range.first <= last && range.last >= first ? [range] : [];
    });
  }

  #open({ exchange, symbol }: Trade): Ring {
    const markets = this.#exchanges.get(exchange) ?? new Map<string, Ring>();
    this.#exchanges.set(exchange, markets);
    const [oldest] = markets.size === MAX_MARKETS ? markets.keys() : [];
    if (oldest !== undefined) markets.delete(oldest);
    const ring: Ring = { tradeId: [], fillCount: [], size: [], next: 0 };
    markets.set(symbol, ring);
    return ring;
  }
}
