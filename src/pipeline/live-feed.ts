import type { MarketEvent, Trade } from '../market/market-event.ts';
import type { Delivery } from './delivery.ts';
import type { Notice } from './notice.ts';
import type { Stream } from './stream.ts';

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
  /** What is absent or null does not narrow. For balances the symbols are currencies. */
  readonly filter: {
    readonly exchange?: string | null | undefined;
    readonly symbols?: readonly string[] | null | undefined;
  };
  readonly delivery: Delivery;
}

/** Tickers, order books, exchange candles and balances as they arrive, to any number of subscribers. */
export interface LiveFeed {
  readonly subscribers: number;
  subscribe<K extends LiveKind>(request: LiveRequest<K>): Stream<LiveBatch<K>>;
  /** The present state, null before the first. */
  latest<K extends Exclude<LiveKind, 'candle'>>(kind: K, exchange: string, symbol: string): LiveEventOf<K> | null;
}
