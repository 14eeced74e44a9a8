import { Temporal } from 'temporal-polyfill';
import { AppError } from '../runtime/errors.ts';

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
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
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
  if (length === null)
    return windows.timeZone === 'UTC' && windows.anchor === null ? monthInUtc(time) : calendarWindow(windows, time);
  const offset = windows.anchor ?? (windows.interval === '1w' ? FIRST_MONDAY : 0);
  const openTime = Math.floor((time - offset) / length) * length + offset;
  return { openTime, closeTime: openTime + length };
}

/** Null where the calendar decides. */
function fixedLength({ interval, timeZone }: Windows): number | null {
  const isLong = interval === '1d' || interval === '1w';
  return interval === '1M' || (isLong && timeZone !== 'UTC') ? null : longestOf(interval);
}

/** What the calendar says too, at a hundredth of its cost: streams ask for every trade. */
function monthInUtc(time: number): CandleWindow {
  const date = new Date(time);
  const openTime = new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth(), 1);
  return { openTime, closeTime: new Date(openTime).setUTCMonth(date.getUTCMonth() + 1) };
}

function calendarWindow({ interval, timeZone, anchor }: Windows, time: number): CandleWindow {
  const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
  const end = anchor === null ? null : at(anchor);
  const plainTime = end?.toPlainTime() ?? new Temporal.PlainTime();
  const msOf = (date: Temporal.PlainDate) => date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
  const date = at(time).toPlainDate();
  /** First day of the period `by` periods after the one this date lies in. */
  const start = (by: number): Temporal.PlainDate => {
    if (interval === '1d') return date.add({ days: by });
    if (interval === '1w')
      return date.subtract({ days: (date.dayOfWeek - (end?.dayOfWeek ?? 1) + 7) % 7 }).add({ weeks: by });
    return date
      .with({ day: 1 })
      .add({ months: by })
      .with({ day: end?.day ?? 1 }); // a day the month lacks is its last
  };
  // The period of the date, unless it begins later on this day or in this month.
  let period = 0;
  let openTime = msOf(start(period));
  while (openTime > time) openTime = msOf(start(--period));
  let closeTime = msOf(start(period + 1));
  while (closeTime <= time) {
    period += 1;
    [openTime, closeTime] = [closeTime, msOf(start(period + 1))];
  }
  return { openTime, closeTime };
}
