import type { ExchangeCandle, Trade } from '../market/market-event.ts';
import { AppError } from '../runtime/errors.ts';
import { readEach } from './fields.ts';

/** Ascending ids of any length, as text. */
export const byTradeId = ({ tradeId: a }: Trade, { tradeId: b }: Trade): number =>
  a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

export const byOpenTime = (a: ExchangeCandle, b: ExchangeCandle): number => a.openTime - b.openTime;

/**
 * Reads a list whose odd rows may be left out, such as an exchange's list of instruments.
 * @throws {AppError} FRAME_MALFORMED when there are rows and none of them can be read.
 */
export function readMost<T>(rows: readonly unknown[], read: (row: unknown) => T): readonly T[] {
  const { accepted, rejected } = readEach(rows, read);
  if (accepted.length > 0 || rejected.length === 0) return accepted;
  throw new AppError('FRAME_MALFORMED', `None of ${rows.length} rows could be read; the first: ${rejected[0]?.detail}`);
}
