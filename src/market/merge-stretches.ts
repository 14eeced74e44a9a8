import { type CoverageStatus, type IdRange, type Stretch, sizeOf } from './coverage.ts';

/** What says more wins. */
const STRENGTH: Readonly<Record<CoverageStatus, number>> = {
  PROVEN: 4,
  BACKFILLED: 3,
  UNPROVEN: 2,
  UNFILLABLE: 1,
  GAP: 0,
};

const isMissing = ({ status }: Stretch): boolean => status === 'GAP' || status === 'UNFILLABLE';

/** The ids of `range`, told by what one writer said of a stretch they are a part of. */
interface Piece extends IdRange {
  readonly source: Stretch;
}

/**
 * One stream as several writers saw it. Each list is ascending and apart; so is the result. Of an id that several speak of the
 * strongest statement stands; a stretch is cut where another one wins, and neighbours that say the same become one.
 */
export function mergeStretches(writers: readonly (readonly Stretch[])[]): readonly Stretch[] {
  const lists = writers.filter(({ length }) => length > 0);
  return join(lists.length > 1 ? trim(piecesOf(lists)) : (lists[0] ?? []));
}

/** Ids of a stream of which nothing is known any more, and the exchange times they are of. */
export interface DroppedRange extends IdRange {
  /** ms. */
  readonly from: number;
  /** ms, exclusive. */
  readonly to: number;
}

/** The stretches without what lies in the dropped ranges; a stretch is cut with its counts, and its times end where the range does. */
export function withoutDropped(stretches: readonly Stretch[], dropped: readonly DroppedRange[]): readonly Stretch[] {
  return dropped.reduce<readonly Stretch[]>(
    (left, range) =>
      left.flatMap((stretch) => {
        if (stretch.last < range.first || stretch.first > range.last) return [stretch];
        const before = {
          ...stretch,
          last: range.first - 1n,
          to: Math.max(stretch.from, Math.min(stretch.to, range.from)),
        };
        const after = {
          ...stretch,
          first: range.last + 1n,
          from: Math.min(stretch.to, Math.max(stretch.from, range.to)),
        };
        return [before, after]
          .filter(({ first, last }) => first <= last)
          .map((rest) => ({ ...rest, actual: countUpTo(stretch, rest.last + 1n) - countUpTo(stretch, rest.first) }));
      }),
    stretches,
  );
}

/** Goes through the ids once; of each list at most one stretch is open at a time. */
function piecesOf(lists: readonly (readonly Stretch[])[]): readonly Piece[] {
  const edges = lists.flatMap((list) => list.flatMap(({ first, last }) => [first, last + 1n]));
  const borders = [...new Set(edges)].sort((a, b) => (a < b ? -1 : 1));
  const places = lists.map(() => 0);
  const pieces: { first: bigint; last: bigint; readonly source: Stretch }[] = [];
  for (const [index, first] of borders.entries()) {
    const next = borders[index + 1];
    if (next === undefined) break;
    const before = pieces.at(-1);
    let winner: Stretch | null = null;
    for (const [which, list] of lists.entries()) {
      let place = places[which] ?? 0;
      while ((list[place]?.last ?? first) < first) place += 1;
      places[which] = place;
      const open = list[place];
      if (open && open.first <= first && wins(open, winner, before?.source ?? null)) winner = open;
    }
    if (winner === null) continue;
    if (before && before.source === winner && before.last + 1n === first) before.last = next - 1n;
    else pieces.push({ first, last: next - 1n, source: winner });
  }
  return pieces;
}

/** Of equals the one that had the id before goes on, so that nothing is cut without need. */
const wins = (one: Stretch, other: Stretch | null, before: Stretch | null): boolean =>
  other === null ||
  STRENGTH[one.status] > STRENGTH[other.status] ||
  (STRENGTH[one.status] === STRENGTH[other.status] && one === before);

/** Cuts counts and times with the ids. The edge of the stretch that wins says when the cut is; a missing one has no such time. */
function trim(pieces: readonly Piece[]): readonly Stretch[] {
  return pieces.map(({ first, last, source }, index) => {
    const [before, after] = [pieces[index - 1], pieces[index + 1]];
    const from = first > source.first && before && !isMissing(before.source) ? before.source.to : source.from;
    const to = last < source.last && after && !isMissing(after.source) ? after.source.from : source.to;
    const within = (time: number) => Math.min(Math.max(time, source.from), source.to);
    return {
      ...source,
      ...{ first, last, from: Math.min(within(from), within(to)), to: Math.max(within(from), within(to)) },
      actual: countUpTo(source, last + 1n) - countUpTo(source, first),
    };
  });
}

/** How much of what a stretch holds lies below an id; exact where every id is one thing, else by its share. */
const countUpTo = (source: Stretch, id: bigint): number =>
  Number((BigInt(source.actual) * (id - source.first)) / sizeOf(source));

function join(stretches: readonly Stretch[]): readonly Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of stretches) {
    const before = joined.at(-1);
    if (!before || before.last + 1n !== stretch.first || !saySame(before, stretch)) {
      joined.push(stretch);
      continue;
    }
    joined[joined.length - 1] = {
      ...before,
      last: stretch.last,
      from: Math.min(before.from, stretch.from),
      to: Math.max(before.to, stretch.to),
      actual: before.actual + stretch.actual,
    };
  }
  return joined;
}

const saySame = (a: Stretch, b: Stretch): boolean =>
  a.status === b.status &&
  a.evidence === b.evidence &&
  a.cause === b.cause &&
  a.gap === b.gap &&
  a.gapFoundAt === b.gapFoundAt;
