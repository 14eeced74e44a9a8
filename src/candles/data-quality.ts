import { type CandleComparison, compareCandles } from '../market/compare-candles.ts';
import { COVERAGE_STATUSES, type CoverageStatus, sizeOf } from '../market/coverage.ts';
import { type CoverageInterval, coverageIntervals } from '../market/coverage-intervals.ts';
import type { ExchangeCandle } from '../market/market-event.ts';
import { listCandles } from './candle-history.ts';
import type { CandlePorts } from './candles-request.ts';

export const DAY_MS = 86_400_000;
export const MINUTE_MS = 60_000;

/** What was repaired of a stretch of time, by the coverage ledger. Trades are single fills. */
export interface Repairs {
  /** Gaps of which a part lies in it. */
  readonly gaps: number;
  /** Those of them of which nothing is missing any more there. */
  readonly gapsFilled: number;
  readonly tradesBackfilled: bigint;
  /** Still to be fetched. */
  readonly tradesMissing: bigint;
  /** Missing for good. */
  readonly tradesLost: bigint;
  /** Candles that got trades after they were over. */
  readonly candlesRevised: number;
}

export interface DayQuality extends CandleComparison {
  readonly exchange: string;
  readonly symbol: string;
  /** ms; `to` is exclusive and the end of the last minute that was compared. */
  readonly from: number;
  readonly to: number;
  readonly minutes: number;
  /** Share of the time of each status, 0 to 1. */
  readonly coverage: readonly { readonly status: CoverageStatus; readonly share: number }[];
  readonly repaired: Repairs;
}

export interface DayRequest {
  readonly exchange: string;
  readonly symbol: string;
  /** [from, to) in whole minutes, ms; a day at most. */
  readonly from: number;
  readonly to: number;
  /** The exchange's own closed candles of a minute, by their end. */
  readonly theirs: ReadonlyMap<number, ExchangeCandle>;
}

/** Our candles of a minute beside the exchange's own, and what the ledger says of the time. */
export async function assessDay(ports: CandlePorts, request: DayRequest): Promise<DayQuality> {
  const { exchange, symbol, from, to, theirs } = request;
  const minutes = (to - from) / MINUTE_MS;
  const [{ candles }, stretches] = await Promise.all([
    listCandles(ports, {
      ...{ exchange, symbol, from, to, windows: { interval: '1m', timeZone: 'UTC', anchor: null } },
      ...{ includeForming: false, endInclusive: false, emptyIntervals: 'INCLUDE_NULL', asOf: null },
      ...{ order: 'ASC', limit: DAY_MS / MINUTE_MS, after: null, before: null, fromEnd: false },
    }),
    ports.listStretches({ exchange, symbol, dataType: 'trade', from: new Date(from), to: new Date(to) }),
  ]);
  const intervals = coverageIntervals(stretches, { from, to });
  const candlesRevised = candles.filter(({ values }) => (values?.revision ?? 0) > 0).length;
  return {
    ...{ exchange, symbol, from, to, minutes },
    ...compareCandles(candles, theirs),
    coverage: COVERAGE_STATUSES.map((status) => ({ status, share: shareOf(status, intervals, to - from) })),
    repaired: { ...repairsOf(intervals), candlesRevised },
  };
}

/** Rounded down, so that 1 is only what is whole. */
function shareOf(status: CoverageStatus, intervals: readonly CoverageInterval[], length: number): number {
  const own = intervals.filter((interval) => interval.status === status);
  const covered = own.reduce((sum, { from, to }) => sum + to - from, 0);
  return length === 0 ? 0 : Math.floor((covered / length) * 1e6) / 1e6;
}

function repairsOf(intervals: readonly CoverageInterval[]): Omit<Repairs, 'candlesRevised'> {
  const parts = intervals.filter(({ gap }) => gap !== null);
  const gaps = Map.groupBy(parts, ({ gap }) => gap?.first);
  const idsOf = (status: CoverageStatus) =>
    intervals.reduce((sum, part) => (part.status === status && part.ids ? sum + sizeOf(part.ids) : sum), 0n);
  return {
    gaps: gaps.size,
    gapsFilled: [...gaps.values()].filter((own) => own.every(({ status }) => status === 'BACKFILLED')).length,
    tradesBackfilled: idsOf('BACKFILLED'),
    tradesMissing: idsOf('GAP'),
    tradesLost: idsOf('UNFILLABLE'),
  };
}
