import { AppError } from '../runtime/errors.ts';
import { localTimeOf } from './local-time.ts';

/** Lengths of candles; the word is the exchanges' own. A month is `1M`. */
export const CANDLE_INTERVALS = [
  ...(['1s', '5s', '10s', '15s', '30s', '1m', '3m', '5m', '15m', '30m'] as const),
  ...(['1h', '2h', '4h', '6h', '12h', '1d', '1w', '1M'] as const),
] as const;
export type CandleInterval = (typeof CANDLE_INTERVALS)[number];

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const UNIT = { s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY, M: 31 * DAY } as const;
/** Monday the 5th of January 1970: weeks begin on Mondays. */
const FIRST_MONDAY = 4 * DAY;

/** At most so long, ms. Only days, weeks and months vary: by clocks that change, and by the month. */
export const longestOf = (interval: CandleInterval): number =>
  Number(interval.slice(0, -1)) * UNIT[interval.at(-1) as keyof typeof UNIT];

/** How time is cut into candles. */
export interface Windows {
  readonly interval: CandleInterval;
  /** IANA name. Days, weeks and months are those of this place; shorter candles are cut in UTC. */
  readonly timeZone: string;
  /** ms. Every window ends at the same time of day, day of the week or day of the month as this; null: at round times. */
  readonly anchor: number | null;
}

/** One candle's time, ms: [openTime, closeTime). Its label is `closeTime`. */
export interface CandleWindow {
  readonly openTime: number;
  readonly closeTime: number;
}

/** The first ms that belongs to what begins at a boundary: times are whole ms, and with `endInclusive` a boundary ends what is before it. */
export const startOf = (boundary: number, endInclusive: boolean): number => (endInclusive ? boundary + 1 : boundary);

/** @throws {AppError} BAD_USER_INPUT for a time zone nobody knows. */
export function checkWindows({ timeZone }: Windows): void {
  try {
    localTimeOf(timeZone);
  } catch {
    throw new AppError(
      'BAD_USER_INPUT',
      `\`timeZone\` should be an IANA name such as "Europe/Berlin", was "${timeZone.slice(0, 40)}"`,
    );
  }
}

/** The window a time (ms) lies in. The next one begins at its end; the one before holds the ms before its begin. */
export function windowAt(windows: Windows, time: number): CandleWindow {
  const length = fixedLength(windows);
  if (length === null) return calendarWindow(windows, time);
  const offset = windows.anchor ?? (windows.interval === '1w' ? FIRST_MONDAY : 0);
  const openTime = Math.floor((time - offset) / length) * length + offset;
  return { openTime, closeTime: openTime + length };
}

/** Null where the calendar decides. */
function fixedLength({ interval, timeZone }: Windows): number | null {
  const isLong = interval === '1d' || interval === '1w';
  return interval === '1M' || (isLong && timeZone !== 'UTC') ? null : longestOf(interval);
}

function calendarWindow({ interval, timeZone, anchor }: Windows, time: number): CandleWindow {
  const clocks = localTimeOf(timeZone);
  const start = starts(interval, anchor === null ? null : clocks.of(anchor), clocks.of(time));
  // The period of the date, unless it begins later on this day or in this month.
  let period = 0;
  let openTime = clocks.timeOf(start(period));
  while (openTime > time) openTime = clocks.timeOf(start(--period));
  let closeTime = clocks.timeOf(start(period + 1));
  while (closeTime <= time) {
    period += 1;
    [openTime, closeTime] = [closeTime, clocks.timeOf(start(period + 1))];
  }
  return { openTime, closeTime };
}

/** Where the period begins that is `by` periods after the one the date of `local` lies in; all local. */
function starts(interval: CandleInterval, anchor: number | null, local: number): (by: number) => number {
  const day = Math.floor(local / DAY);
  const anchorDay = anchor === null ? FIRST_MONDAY / DAY : Math.floor(anchor / DAY);
  const timeOfDay = anchor === null ? 0 : anchor - anchorDay * DAY;
  if (interval === '1d') return (by) => (day + by) * DAY + timeOfDay;
  if (interval === '1w') {
    const week = Math.floor((day - anchorDay) / 7);
    return (by) => ((week + by) * 7 + anchorDay) * DAY + timeOfDay;
  }
  const date = new Date(local);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const dayOfMonth = anchor === null ? 1 : new Date(anchor).getUTCDate();
  return (by) => {
    const lastDay = new Date(0).setUTCFullYear(year, month + by + 1, 0);
    const wanted = new Date(lastDay).setUTCDate(dayOfMonth);
    return Math.min(wanted, lastDay) + timeOfDay; // a day the month lacks is its last
  };
}
