/** Places of a tape, both ends included. A set of places is its runs, ascending and apart. */
export interface Run {
  readonly first: number;
  readonly last: number;
}

export const lengthOf = (runs: readonly Run[]): number =>
  runs.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** The set of all places in any of these runs, in whatever order they come. */
export function union(runs: readonly Run[]): readonly Run[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of runs.toSorted((a, b) => a.first - b.first)) {
    const end = merged.at(-1);
    if (end !== undefined && first <= end.last + 1) end.last = Math.max(end.last, last);
    else merged.push({ first, last });
  }
  return merged;
}

/** Places that are more than once in these runs, each once. */
export function repeated(runs: readonly Run[]): readonly Run[] {
  const twice: Run[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const { first, last } of runs.toSorted((a, b) => a.first - b.first)) {
    if (first <= end) twice.push({ first, last: Math.min(last, end) });
    end = Math.max(end, last);
  }
  return union(twice);
}

/** Of two sets, what is in both. */
export function intersect(a: readonly Run[], b: readonly Run[]): readonly Run[] {
  const both: Run[] = [];
  for (let i = 0, j = 0; ; ) {
    const [left, right] = [a[i], b[j]];
    if (left === undefined || right === undefined) return both;
    const run = { first: Math.max(left.first, right.first), last: Math.min(left.last, right.last) };
    if (run.first <= run.last) both.push(run);
    if (left.last < right.last) i += 1;
    else j += 1;
  }
}

/** Of two sets, what is in the first only. */
export function subtract(a: readonly Run[], b: readonly Run[]): readonly Run[] {
  const rest: Run[] = [];
  let j = 0;
  for (const { first, last } of a) {
    let next = first;
    while ((b[j]?.last ?? Number.POSITIVE_INFINITY) < first) j += 1;
    for (let i = j; ; i += 1) {
      const hole = b[i];
      if (hole === undefined || hole.first > last) break;
      if (hole.first > next) rest.push({ first: next, last: hole.first - 1 });
      next = hole.last + 1;
    }
    if (next <= last) rest.push({ first: next, last });
  }
  return rest;
}
