import type { Gap } from '../../market/gap-ledger.ts';

/** What a stream tells its client between the data, in the order it happened. */
export type Notice =
  /** `missed` values that matched the subscription were dropped, because the client was slower than the market. */
  | { readonly type: 'LAGGED'; readonly missed: number }
  /** Everything that was stored before has been delivered; from here on values come as they happen. */
  | { readonly type: 'CAUGHT_UP' }
  /** Trades of a market of this stream are missing, or are so no longer; the gap as it was when this was said. */
  | { readonly type: 'GAP'; readonly gap: Gap }
  /** The server goes away: the connection is closed in a moment, and the last cursor is good for any other server. */
  | { readonly type: 'DRAINING' };
