import type { Decimal } from '../market/decimal.ts';
import type { Side } from '../market/market-event.ts';

/** Which trades a subscriber wants; what is absent or null does not narrow. An empty list of symbols matches nothing. */
export interface TradeFilter {
  readonly exchange?: string | null | undefined;
  readonly symbols?: readonly string[] | null | undefined;
  readonly side?: Side | null | undefined;
  /** Trades of at least this size, in base currency. */
  readonly minSize?: Decimal | null | undefined;
}
