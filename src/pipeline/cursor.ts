import type { Position } from './position.ts';
import type { TradeFilter } from './trade-filter.ts';

/** Writes and reads the cursors of one subscription document: positions bound to their filter. */
export interface CursorCodec {
  encode(position: Position): string;
  /** @throws {AppError} CURSOR_INVALID for text that is no cursor, and for a cursor of another field or filter. */
  decode(text: string): Position;
}

export type TradeCursors = (filter: TradeFilter) => CursorCodec;
