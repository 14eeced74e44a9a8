/** Candle lengths by the exchange's own name. Calendar months are not simulated. */
export interface Interval {
  readonly name: string;
  readonly ms: number;
  /** Boundaries are multiples of `ms` since the epoch plus this. */
  readonly offset: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 1970-01-05 was a Monday. */
const MONDAY = 4 * DAY;
/** OKX cuts 6 hours and longer at Hong Kong time unless asked for `utc`. */
const HONG_KONG = -8 * HOUR;

const row = (name: string, ms: number, offset = 0): Interval => ({ name, ms, offset });

const SHORT = [
  row('1s', 1000),
  row('1m', MINUTE),
  row('3m', 3 * MINUTE),
  row('5m', 5 * MINUTE),
  row('15m', 15 * MINUTE),
  row('30m', 30 * MINUTE),
];

export const OKX_INTERVALS: ReadonlyMap<string, Interval> = byName([
  ...SHORT,
  ...[1, 2, 4].map((hours) => row(`${hours}H`, hours * HOUR)),
  ...[6, 12].flatMap((hours) => [row(`${hours}H`, hours * HOUR, HONG_KONG), row(`${hours}Hutc`, hours * HOUR)]),
  row('1D', DAY, HONG_KONG),
  row('1Dutc', DAY),
  row('1W', 7 * DAY, MONDAY + HONG_KONG),
  row('1Wutc', 7 * DAY, MONDAY),
]);

export const BINANCE_INTERVALS: ReadonlyMap<string, Interval> = byName([
  ...SHORT,
  ...[1, 2, 4, 6, 8, 12].map((hours) => row(`${hours}h`, hours * HOUR)),
  row('1d', DAY),
  row('3d', 3 * DAY),
  row('1w', 7 * DAY, MONDAY),
]);

/** Start of the interval that `time` lies in, ms since epoch. */
export const openTimeOf = (interval: Interval, time: number): number =>
  Math.floor((time - interval.offset) / interval.ms) * interval.ms + interval.offset;

function byName(rows: readonly Interval[]): ReadonlyMap<string, Interval> {
  return new Map(rows.map((interval) => [interval.name, interval]));
}
