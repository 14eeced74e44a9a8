import { AppError } from '../runtime/errors.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

/** Lengths in ms of the candle intervals exchanges print; a month, the only one without a fixed length, is not here. */
const FIXED: ReadonlyMap<string, number> = new Map([
  ['1s', SECOND],
  ...[1, 3, 5, 15, 30].map((minutes): [string, number] => [`${minutes}m`, minutes * MINUTE]),
  ...[1, 2, 4, 6, 8, 12].map((hours): [string, number] => [`${hours}h`, hours * HOUR]),
  ...[1, 3].map((days): [string, number] => [`${days}d`, days * DAY]),
  ['1w', 7 * DAY],
]);

/**
 * The exclusive end, in ms, of a candle that opens at `openTime`; `interval` is our name, such as "1m", "1h", "1M" (month, UTC).
 * @throws {AppError} BAD_USER_INPUT for an interval no exchange prints.
 */
export function closeTimeOf(interval: string, openTime: number): number {
  const length = FIXED.get(interval);
  if (length !== undefined) return openTime + length;
  if (interval !== '1M')
    throw new AppError('BAD_USER_INPUT', `No exchange prints candles of "${interval.slice(0, 20)}"; try "1m"`);
  const open = new Date(openTime);
  return Date.UTC(open.getUTCFullYear(), open.getUTCMonth() + 1);
}
