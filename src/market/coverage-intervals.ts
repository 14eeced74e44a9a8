import type { CoverageEvidence, CoverageStatus, IdRange, Stretch } from './coverage.ts';

/** What is known of a stream in [from, to), ms. */
export interface CoverageInterval {
  readonly status: CoverageStatus;
  readonly evidence: CoverageEvidence;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Of the whole stretch it is of, also where the interval was cut by the range asked for; null where nothing is known. */
  readonly ids: IdRange | null;
  /** Things stored in that stretch. */
  readonly actual: number;
  readonly cause: string | null;
  /** The gap it is, or was, a part of: its first id and when it was found, ms. */
  readonly gap: { readonly first: bigint; readonly foundAt: number } | null;
}

const NOT_COLLECTED = 'not collected';
const NOTHING_NEWER = 'nothing newer was received yet';

const UNKNOWN = { status: 'UNPROVEN', evidence: 'CONNECTION_ONLY', actual: 0, gap: null } as const;

/** A stretch and the times that are not covered because of it: none, or from the thing before it to the one after it. */
interface Part {
  readonly ids: IdRange;
  readonly stretch: Stretch | null;
  readonly hole: { readonly from: number; readonly to: number } | null;
}

/**
 * The stretches of one stream, ascending and apart, as contiguous intervals of [from, to). Give also the nearest stretch before and
 * after the range: between two that follow each other nothing was made, however long that was. A covered stretch owns the time
 * from its first thing up to its last one; a missing one from the thing before it to the one after it, both included, as what is
 * missing may share their millisecond. One that is left without any time, as that is missing already, stays for its ids: empty,
 * right behind that time.
 */
export function coverageIntervals(
  stretches: readonly Stretch[],
  range: { readonly from: number; readonly to: number },
): readonly CoverageInterval[] {
  const intervals: CoverageInterval[] = [];
  let reached = Number.NEGATIVE_INFINITY;
  const own = (upTo: number, interval: Omit<CoverageInterval, 'from' | 'to'>) => {
    const end = Math.max(reached, upTo);
    const [from, to] = [Math.max(reached, range.from), Math.min(end, range.to)];
    const isEmpty = from === to && reached === end && from > range.from;
    if (from < to || isEmpty) intervals.push({ ...interval, from, to });
    reached = end;
  };

  const parts = partsOf(stretches);
  const limits = holesAhead(parts);
  own(parts[0] ? startOf(parts[0]) : range.to, { ...UNKNOWN, ids: null, cause: NOT_COLLECTED });
  for (const [index, { ids, stretch, hole }] of parts.entries()) {
    const limit = limits[index + 1] ?? Infinity;
    // A millisecond that ids nobody asked for share with missing ones is that of the missing ones.
    const holeEnd = hole && (stretch ? hole.to + 1 : Math.min(limit, hole.to + 1));
    const end = holeEnd ?? Math.min(limit, endOf(stretch, parts[index + 1]?.stretch));
    own(end, stretch ? { ...saidOf(stretch), ids } : { ...UNKNOWN, ids, cause: NOT_COLLECTED });
  }
  if (reached < range.to) own(range.to, { ...UNKNOWN, ids: null, cause: NOTHING_NEWER });
  return intervals;
}

function partsOf(stretches: readonly Stretch[]): readonly Part[] {
  return stretches.flatMap((stretch, index): Part[] => {
    const before = stretches[index - 1];
    const ids = { first: stretch.first, last: stretch.last };
    const missing = stretch.status === 'GAP' || stretch.status === 'UNFILLABLE';
    const part = { ids, stretch, hole: missing ? span(stretch.from, stretch.to) : null };
    if (!before || before.last + 1n >= stretch.first) return [part];
    const between = { first: before.last + 1n, last: stretch.first - 1n };
    return [{ ids: between, stretch: null, hole: span(before.to, stretch.from) }, part];
  });
}

const saidOf = ({ status, evidence, actual, cause, gap, gapFoundAt }: Stretch) => ({
  ...{ status, evidence, actual, cause },
  gap: gap === null || gapFoundAt === null ? null : { first: gap, foundAt: gapFoundAt },
});

/** Exchanges' clocks go back at times. */
const span = (a: number, b: number) => ({ from: Math.min(a, b), to: Math.max(a, b) });

const startOf = ({ stretch, hole }: Part): number => hole?.from ?? stretch?.from ?? 0;

/** The earliest time that is missing from each part on. */
function holesAhead(parts: readonly Part[]): readonly number[] {
  const limits: number[] = [];
  for (const [back, { hole }] of parts.toReversed().entries())
    limits[parts.length - 1 - back] = Math.min(hole?.from ?? Infinity, limits[parts.length - back] ?? Infinity);
  return limits;
}

/** The quiet time between two covered stretches belongs to a proven one. */
function endOf(stretch: Stretch | null, next: Stretch | null | undefined): number {
  if (!stretch) return Number.NEGATIVE_INFINITY;
  if (!next) return stretch.to;
  return next.status === 'PROVEN' && stretch.status !== 'PROVEN' ? stretch.to : Math.max(stretch.to, next.from);
}
