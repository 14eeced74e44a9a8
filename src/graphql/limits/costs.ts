import { CANDLE_INTERVALS, longestOf } from '../../market/candle-window.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './page-size.ts';

/** The arguments of a field as its resolver gets them, defaults filled in. */
export type Arguments = Readonly<Record<string, unknown>>;

/** What is known of a field before it is resolved. Costs are in values worked out, a quarter of a microsecond each. */
export interface FieldCost {
  /** Before anything of it is selected. */
  readonly work?: (args: Arguments, rows: number, now: number) => number;
  /** Items of its list, or of its pages. */
  readonly rows?: (args: Arguments, now: number) => number;
  /** The work grows with the time between `from` and `to`. */
  readonly spans?: true;
}

/** Of a list nobody knows more about. */
export const SOME = 10;
const COLLECTORS = 100;
const LEVELS = 25;
/** A question to the database that is about one thing. */
const LOOK_UP = 400;
/** One to the stored trades of a time. */
const READ = 2_000;
/** A day's candles of a minute, computed and compared. */
const DAY = 20_000;
/** A candle, its revisions and what the ledger says of it. */
const CANDLE = 10;
/** A candle between two times the calendar has to be asked for. */
const CALENDAR_CANDLE = 80;

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 1);
const always = (count: number) => () => count;

/** What a page shows at most. */
export const pageRows = ({ first, last }: Arguments): number => numberOf(first) ?? numberOf(last) ?? DEFAULT_PAGE;

/** ms; null when the arguments name none. */
export function spanOf({ from, to }: Arguments, now: number): number | null {
  const start = numberOf(from);
  return start === null ? null : (numberOf(to) ?? now) - start;
}

const intervalOf = (value: unknown) => CANDLE_INTERVALS.find((one) => one === value) ?? '1s';

const asksCalendar = ({ interval, timeZone }: Arguments): boolean =>
  interval === '1M' || ((interval === '1d' || interval === '1w') && timeZone !== 'UTC');

/** Where a cost is not one value for itself and `SOME` for a list, by type and field. */
export const COSTS: Readonly<Record<string, FieldCost>> = {
  'Query.candles': {
    spans: true,
    rows: (args, now) => {
      if (numberOf(args.first) !== null || numberOf(args.last) !== null) return pageRows(args);
      const whole = Math.ceil((spanOf(args, now) ?? 0) / longestOf(intervalOf(args.interval)));
      return Math.min(MAX_PAGE, Math.max(1, whole));
    },
    work: (args, rows) =>
      READ + rows * (asksCalendar(args) ? CALENDAR_CANDLE : CANDLE) * (args.emptyIntervals === 'OMIT' ? 2 : 1),
  },
  'Query.candlesAt': {
    rows: ({ intervals }) => lengthOf(intervals),
    work: ({ intervals }) => lengthOf(intervals) * READ,
  },
  'Query.coverage': { spans: true, rows: always(MAX_PAGE), work: always(READ) },
  'Query.dataQuality': { work: always(DAY) },
  'Query.node': { work: always(LOOK_UP) },
  'Query.nodes': { rows: ({ ids }) => lengthOf(ids), work: ({ ids }) => lengthOf(ids) * LOOK_UP },
  'Query.collectors': { rows: always(COLLECTORS) },
  'Query.auditLog': { work: always(READ) },
  'Query.balances': { work: always(READ) },
  'Query.trades': { work: always(READ) },
  'Query.marketData': { work: always(READ) },
  'Query.tickers': { work: always(READ) },
  'Query.orderBooks': { work: always(READ) },
  'Query.gaps': { work: always(READ) },
  'Query.instruments': { work: always(READ) },
  'Query.instrument': { work: always(LOOK_UP) },
  'CollectorManager.collectors': { rows: always(COLLECTORS) },
  'Instrument.coverage': { work: always(LOOK_UP) },
  'OrderBook.bids': { rows: always(LEVELS) },
  'OrderBook.asks': { rows: always(LEVELS) },
  'Collector.streams': { rows: always(5) },
  // What is asked of the schema itself, on average.
  '__Schema.types': { rows: always(100) },
  '__Type.fields': { rows: always(6) },
  '__Type.inputFields': { rows: always(1) },
  '__Type.enumValues': { rows: always(2) },
  '__Type.interfaces': { rows: always(1) },
  '__Type.possibleTypes': { rows: always(1) },
  '__Field.args': { rows: always(1) },
};
