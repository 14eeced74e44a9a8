import type { Candle } from '../market/candle.ts';
import type { Notice } from '../pipeline/stream/notice.ts';
import type { Position } from '../storage/trades.ts';

/**
 * UPDATED: it is forming and has other values, or it is over and something else is known of its completeness. CLOSED: its time is over;
 * told once of each candle, also of one without trades. REVISED: trades came into it after that.
 */
export type CandleChangeType = 'UPDATED' | 'CLOSED' | 'REVISED';

export interface CandleChange {
  readonly type: CandleChangeType;
  readonly candle: Candle;
  /** As it was told before; null unless REVISED. */
  readonly previous: Candle | null;
}

/** Where somebody stands who follows candles: what he has seen is all that follows from here. */
export interface CandlePlace {
  /** Trades up to here are in the candles. */
  readonly position: Position;
  /** Of each symbol the end of the last candle that was closed, ms. */
  readonly closed: ReadonlyMap<string, number>;
}

/** What happened since the last one, and where that leads. */
export interface CandleUpdate {
  /** By time within each symbol; at most one of each candle. */
  readonly changes: readonly CandleChange[];
  readonly notices: readonly Notice[];
  readonly place: CandlePlace;
}

/** Two changes of one candle as one, for somebody who was told of neither. */
export function mergeChanges(before: CandleChange, { type, candle, previous }: CandleChange): CandleChange {
  return before.type === 'UPDATED' ? { type, candle, previous } : { ...before, candle };
}
