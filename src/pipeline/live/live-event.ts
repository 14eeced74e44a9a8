import type { MarketEvent, Trade } from '../../market/market-event.ts';
import type { Delivery } from '../stream/delivery.ts';
import type { Notice } from '../stream/notice.ts';

/** What is live but not stored one by one. */
export type LiveEvent = Exclude<MarketEvent, Trade>;

export type LiveKind = LiveEvent['kind'];

export type LiveEventOf<K extends LiveKind> = Extract<LiveEvent, { readonly kind: K }>;

export interface LiveBatch<K extends LiveKind> {
  /** In arrival order; a new subscriber first gets the present state of each matching instrument. May be empty beside a notice. */
  readonly events: readonly LiveEventOf<K>[];
  readonly notices: readonly Notice[];
  /** Events left out because a newer one of the same instrument is here; 0 unless CONFLATE. */
  readonly conflated: number;
}

export interface LiveRequest<K extends LiveKind> {
  readonly kind: K;
  /** What is absent or null does not narrow; an empty list matches nothing. For balances the symbols are currencies. */
  readonly filter: {
    readonly exchange?: string | null | undefined;
    readonly symbols?: readonly string[] | null | undefined;
  };
  /** LOSSLESS and DROP_OLDEST are the same here: a bounded queue that says how much it dropped, as there is no store to read it from. */
  readonly delivery: Delivery;
}

/** What a newer event replaces: the state of its instrument, for candles of its interval. */
export const stateKey = (event: LiveEvent): string =>
  event.kind === 'candle' ? `${event.exchange}:${event.symbol}:${event.interval}` : `${event.exchange}:${event.symbol}`;
