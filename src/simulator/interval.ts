/** A candle length by the exchange's own name. */
export interface Interval {
  readonly name: string;
  /** Its length; of a month the mean, good enough to guess what a candle costs. */
  readonly ms: number;
  /** The start of the interval that `time` lies in, ms since epoch. */
  openOf(time: number): number;
  /** The exclusive end of the interval that opens at `open`. */
  closeOf(open: number): number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 1970-01-05 was a Monday. */
const MONDAY = 4 * DAY;
/** OKX cuts 6 hours and longer at Hong Kong time unless asked for `utc`. */
const HONG_KONG = -8 * HOUR;

/** Boundaries are multiples of `ms` since the epoch plus `offset`. */
const even = (name: string, ms: number, offset = 0): Interval => ({
  name,
  ms,
  openOf: (time) => Math.floor((time - offset) / ms) * ms + offset,
  closeOf: (open) => open + ms,
});

const month = (name: string, offset = 0): Interval => {
  const first = (time: number, later: number): number => {
    const local = new Date(time - offset);
    return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + later) + offset;
  };
  return { name, ms: 30 * DAY, openOf: (time) => first(time, 0), closeOf: (open) => first(open, 1) };
};

const SHORT = [even('1s', 1000), ...[1, 3, 5, 15, 30].map((minutes) => even(`${minutes}m`, minutes * MINUTE))];

export const OKX_INTERVALS: ReadonlyMap<string, Interval> = byName([
  ...SHORT,
  ...[1, 2, 4].map((hours) => even(`${hours}H`, hours * HOUR)),
  ...[6, 12].flatMap((hours) => [even(`${hours}H`, hours * HOUR, HONG_KONG), even(`${hours}Hutc`, hours * HOUR)]),
  even('1D', DAY, HONG_KONG),
  even('1Dutc', DAY),
  even('1W', 7 * DAY, MONDAY + HONG_KONG),
  even('1Wutc', 7 * DAY, MONDAY),
  month('1M', HONG_KONG),
  month('1Mutc'),
]);

export const BINANCE_INTERVALS: ReadonlyMap<string, Interval> = byName([
  ...SHORT,
  ...[1, 2, 4, 6, 8, 12].map((hours) => even(`${hours}h`, hours * HOUR)),
  even('1d', DAY),
  even('3d', 3 * DAY),
  even('1w', 7 * DAY, MONDAY),
  month('1M'),
]);

function byName(intervals: readonly Interval[]): ReadonlyMap<string, Interval> {
  return new Map(intervals.map((interval) => [interval.name, interval]));
}
