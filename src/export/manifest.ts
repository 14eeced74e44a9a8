import { COVERAGE_STATUSES, type CoverageStatus, type Stretch } from '../market/coverage.ts';
import { type CoverageInterval, coverageIntervals } from '../market/coverage-intervals.ts';
import { formatTime } from '../runtime/date-time.ts';
import { type ExportRequest, fileNameOf, toParameters } from './request.ts';

/** What lies beside a file. Times are ISO-8601 in UTC. */
export interface Manifest {
  readonly exchange: string;
  readonly symbol: string;
  readonly type: string;
  readonly interval: string | null;
  readonly from: string;
  readonly to: string;
  readonly format: string;
  /** A name for the file. */
  readonly file: string;
  /** When the state was taken that file and coverage are of. */
  readonly takenAt: string;
  /** Where the very rows are that this speaks of. */
  readonly href: string;
  /** Known to whoever has the whole file; null before. */
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** For a progress bar, by the ledger; no promise. */
  readonly estimatedRows: number;
  readonly coverage: ManifestCoverage;
}

export interface ManifestCoverage {
  /** The trades spoken of, by exchange time; of candles those that may be in them. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  /** One line, in words. */
  readonly summary: string;
  readonly totals: Readonly<Record<CoverageStatus, { readonly seconds: number; readonly share: number }>>;
  readonly intervals: readonly ManifestInterval[];
}

/** Ids are those of the whole stretch, also where the interval was cut by the range. */
export interface ManifestInterval {
  readonly status: CoverageStatus;
  readonly evidence: string;
  readonly from: string;
  /** Exclusive; equal to `from` where trades share the millisecond of their neighbours. */
  readonly to: string;
  readonly firstId: string | null;
  readonly lastId: string | null;
  readonly cause: string | null;
}

export interface ManifestParts {
  readonly takenAt: number;
  readonly state: string;
  readonly stretches: readonly Stretch[];
  /** Of the trades, ms. */
  readonly range: { readonly from: number; readonly to: number };
  /** Null: as many as the ledger says. */
  readonly rows: number | null;
}

export function manifestOf(
  request: ExportRequest,
  { takenAt, state, stretches, range, rows }: ManifestParts,
): Manifest {
  const intervals = range.from < range.to ? coverageIntervals(stretches, range) : [];
  return {
    ...{ exchange: request.exchange, symbol: request.symbol, type: request.type, interval: request.interval },
    ...{ from: formatTime(request.from), to: formatTime(request.to), format: request.format },
    file: fileNameOf(request),
    takenAt: formatTime(takenAt),
    href: `/export?${toParameters(request, state)}`,
    ...{ rows: null, bytes: null, sha256: null },
    estimatedRows: rows ?? estimate(stretches, range),
    coverage: {
      ...{ from: formatTime(range.from), to: formatTime(range.to) },
      summary: inWords(intervals),
      totals: totalsOf(intervals),
      intervals: intervals.map(({ status, evidence, from, to, ids, cause }) => ({
        ...{ status, evidence, from: formatTime(from), to: formatTime(to) },
        ...{ firstId: ids ? String(ids.first) : null, lastId: ids ? String(ids.last) : null, cause },
      })),
    },
  };
}

/** What the stretches hold, by their share of the range. */
function estimate(stretches: readonly Stretch[], range: { readonly from: number; readonly to: number }): number {
  const parts = stretches.map(({ from, to, actual }) => {
    const [begin, end] = [Math.max(from, range.from), Math.min(to + 1, range.to)];
    return begin < end ? (actual * (end - begin)) / Math.max(1, to + 1 - from) : 0;
  });
  return Math.round(parts.reduce((sum, part) => sum + part, 0));
}

function totalsOf(intervals: readonly CoverageInterval[]): ManifestCoverage['totals'] {
  const spans = spansOf(intervals);
  const whole = Object.values(spans).reduce((sum, ms) => sum + ms, 0);
  return Object.fromEntries(
    COVERAGE_STATUSES.map((status) => [
      status,
      { seconds: spans[status] / 1_000, share: whole === 0 ? 0 : spans[status] / whole },
    ]),
  ) as ManifestCoverage['totals'];
}

/** Of each status, ms. */
function spansOf(intervals: readonly CoverageInterval[]): Record<CoverageStatus, number> {
  const spans = Object.fromEntries(COVERAGE_STATUSES.map((status) => [status, 0])) as Record<CoverageStatus, number>;
  for (const { status, from, to } of intervals) spans[status] += to - from;
  return spans;
}

const WORDS: Readonly<Record<CoverageStatus, string>> = {
  PROVEN: 'proven',
  BACKFILLED: 'fetched later',
  UNPROVEN: 'unproven',
  GAP: 'missing, to be fetched',
  UNFILLABLE: 'missing for good',
};
/** Missing parts named one by one. */
const NAMED = 3;

/** Such as "99.2 % of the time is proven, 0.8 % missing for good; 2 gaps: ...". */
export function inWords(intervals: readonly CoverageInterval[]): string {
  const spans = spansOf(intervals);
  const whole = Object.values(spans).reduce((sum, ms) => sum + ms, 0);
  if (whole === 0) return 'there is no time in the range';
  const shares = COVERAGE_STATUSES.filter((status) => spans[status] > 0).map(
    (status, k) => `${percent(spans[status], whole)} ${k === 0 ? 'of the time is ' : ''}${WORDS[status]}`,
  );
  const gaps = intervals.filter(({ status }) => status === 'GAP' || status === 'UNFILLABLE');
  if (gaps.length === 0) return shares.join(', ');
  const names = gaps.slice(0, NAMED).map(({ from, to, ids, cause }) => {
    const trades = ids === null ? [] : [`ids ${ids.first} to ${ids.last}`];
    return `${formatTime(from)} to ${formatTime(to)} (${[...trades, ...(cause === null ? [] : [cause])].join(', ')})`;
  });
  const rest = gaps.length > NAMED ? [`${gaps.length - NAMED} more`] : [];
  return `${shares.join(', ')}; ${gaps.length} gap${gaps.length === 1 ? '' : 's'}: ${[...names, ...rest].join('; ')}`;
}

/** Cut, not rounded, so that only all is 100 %; and what is there is never nothing. */
function percent(part: number, whole: number): string {
  if (part === whole) return '100 %';
  const tenths = Math.floor((part * 1_000) / whole);
  return tenths === 0 ? 'under 0.1 %' : `${tenths / 10} %`;
}
