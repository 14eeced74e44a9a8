import { compareDecimals, type Decimal } from '../../market/decimal.ts';
import type { Side, Trade } from '../../market/market-event.ts';

/** Which trades a subscriber wants; what is absent or null does not narrow. An empty list of symbols matches nothing. */
export interface TradeFilter {
  readonly exchange?: string | null | undefined;
  readonly symbols?: readonly string[] | null | undefined;
  readonly side?: Side | null | undefined;
  /** Trades of at least this size, in base currency. */
  readonly minSize?: Decimal | null | undefined;
}

/** Whether trades of a market may match. */
export function marketMatcher({
  exchange,
  symbols,
}: TradeFilter): (market: Pick<Trade, 'exchange' | 'symbol'>) => boolean {
  const wanted = symbols ? new Set(symbols) : null;
  return (market) => (!exchange || market.exchange === exchange) && (wanted === null || wanted.has(market.symbol));
}

/** The filter as a function, cheapest question first. */
export function tradeMatcher(filter: TradeFilter): (trade: Trade) => boolean {
  const { exchange, side, minSize } = filter;
  const symbols = filter.symbols ? new Set(filter.symbols) : null;
  return (trade) =>
    (!exchange || trade.exchange === exchange) &&
    (symbols === null || symbols.has(trade.symbol)) &&
    (!side || trade.side === side) &&
    (!minSize || compareDecimals(trade.size, minSize) >= 0);
}
