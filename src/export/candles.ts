import { listCandles } from '../candles/candle-history.ts';
import type { CandlePorts } from '../candles/candles-request.ts';
import { type Candle, vwapOf } from '../market/candle.ts';
import { type CandleInterval, windowAt } from '../market/candle-window.ts';
import type { Decimal } from '../market/decimal.ts';
import { type Column, column, type Page, type Row, toPage } from './table.ts';

/** The fields of the API's `Candle`. The market is in the file's name and manifest. */
export const CANDLE_COLUMNS: readonly Column[] = [
  ...['close_time', 'open_time'].map((name) => column('time', name)),
  ...['open', 'high', 'low', 'close'].map((name) => column('decimal', name, true)),
  ...['volume', 'quote_volume', 'buy_volume'].map((name) => column('decimal', name)),
  column('decimal', 'vwap', true),
  column('integer', 'trade_count'),
  ...['state', 'completeness'].map((name) => column('text', name)),
  column('ratio', 'coverage_ratio'),
  column('integer', 'revision'),
  column('time', 'available_at', true),
];

const PAGE_CANDLES = 1_000;

/** Candles whose end lies in (from, to] and was over at `asOf`, as they were known then. Times in ms. */
export interface CandleRange {
  readonly exchange: string;
  readonly symbol: string;
  readonly interval: CandleInterval;
  readonly from: number;
  readonly to: number;
  readonly asOf: number;
}

/** Where the trades of these candles lie: [from, to), empty when none of them is over. */
export function tradesOf({ interval, from, to, asOf }: Omit<CandleRange, 'exchange' | 'symbol'>): {
  readonly from: number;
  readonly to: number;
} {
  const windows = windowsOf(interval);
  const begin = windowAt(windows, from).openTime;
  return { from: begin, to: Math.max(begin, windowAt(windows, Math.min(to, asOf)).openTime) };
}

/** Page by page; an interval without trades is a row without prices. */
export async function* candlePages(ports: CandlePorts, range: CandleRange): AsyncGenerator<Page, void> {
  const { interval, asOf, ...market } = range;
  for (let after: number | null = null; ; ) {
    const { candles, hasMore } = await listCandles(ports, {
      ...{ ...market, asOf, windows: windowsOf(interval), to: Math.min(range.to, asOf) },
      ...{ includeForming: false, endInclusive: false, emptyIntervals: 'INCLUDE_NULL', order: 'ASC' },
      ...{ limit: PAGE_CANDLES, after, before: null, fromEnd: false },
    });
    if (candles.length > 0) yield toPage(candles.map(rowOf));
    after = candles.at(-1)?.closeTime ?? null;
    if (!hasMore || after === null) return;
  }
}

const windowsOf = (interval: CandleInterval) => ({ interval, timeZone: 'UTC', anchor: null });

const ZERO = '0' as Decimal;

function rowOf({ openTime, closeTime, values, state, completeness, coverageRatio, availableAt }: Candle): Row {
  return [
    ...[String(closeTime), String(openTime)],
    ...[values?.open ?? null, values?.high ?? null, values?.low ?? null, values?.close ?? null],
    ...[values?.volume ?? ZERO, values?.quoteVolume ?? ZERO, values?.buyVolume ?? ZERO],
    values && vwapOf(values),
    ...[String(values?.tradeCount ?? 0), state, completeness, String(coverageRatio)],
    ...[String(values?.revision ?? 0), availableAt === null ? null : String(availableAt)],
  ];
}
