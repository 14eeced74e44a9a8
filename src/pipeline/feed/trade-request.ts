import type { RecordedTrade } from '../../market/recorded-trade.ts';
import type { Position } from '../../storage/trades.ts';
import type { Delivery } from '../stream/delivery.ts';
import type { Notice } from '../stream/notice.ts';
import type { TradeFilter } from './trade-filter.ts';

export interface TradeRequest {
  readonly filter: TradeFilter;
  /** Null: from now on. Otherwise what came after it is replayed first, in every mode. */
  readonly after: Position | null;
  readonly delivery: Delivery;
}

/** REPLAY: more of what happened before now follows. LIVE: the subscriber has caught up; the batch that gets there says so in its notices. */
export type StreamPhase = 'REPLAY' | 'LIVE';

export interface TradeBatch {
  /** In commit order. May be empty: the position moved, or there is a notice. */
  readonly trades: readonly RecordedTrade[];
  /** Where the subscriber stood before `trades`. */
  readonly before: Position;
  /** Where it stands after them: whoever resumes here misses nothing and sees nothing twice. */
  readonly position: Position;
  readonly phase: StreamPhase;
  /** About the time between the last batch and the end of this one. */
  readonly notices: readonly Notice[];
  /** Matching trades since the last batch that gave way to a newer one of their instrument; 0 unless CONFLATE. */
  readonly conflated: number;
}

/** Where trades are read that the feed no longer holds. */
export interface TradeHistory {
  /** As in storage/trades.ts: in sequence order per writer, `position` moves over trades the filter left out. */
  tradesAfter(
    position: Position,
    filter: { readonly exchange: string | null; readonly symbols: readonly string[] | null },
    limit: number,
  ): Promise<{ readonly trades: readonly RecordedTrade[]; readonly position: Position; readonly done: boolean }>;
}
