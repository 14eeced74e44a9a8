/** What a stream tells its client between the data, in the order it happened. */
export type Notice =
  /** `missed` values that matched the subscription were dropped, because the client was slower than the market. */
  | { readonly type: 'LAGGED'; readonly missed: number }
  /** Everything that was stored before has been delivered; from here on values come as they happen. */
  | { readonly type: 'CAUGHT_UP' };
