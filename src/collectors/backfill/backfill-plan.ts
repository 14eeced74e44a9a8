import type { IdRange } from '../../market/coverage.ts';
import { max, min } from './trade-search.ts';

/** The next page to ask for. */
export interface Page {
  readonly stretch: IdRange;
  readonly part: IdRange;
}

export interface PlanOptions {
  /** Newest first. */
  readonly open: readonly IdRange[];
  /** What is being asked for at this moment, or has to wait. */
  readonly asked: readonly IdRange[];
  readonly pages: 'down' | 'up';
  /** Rows of a page, at least two. One of them is kept for a trade beyond the part, which proves that REST has got that far. */
  readonly pageSize: number;
}

/** The first page of the newest open stretch that is not being asked for yet; null when there is none. */
export function nextPage({ open, asked, pages, pageSize }: PlanOptions): Page | null {
  const size = BigInt(pageSize - 1);
  for (const stretch of open) {
    const part = pages === 'down' ? partDown(stretch, size, asked) : partUp(stretch, size, asked);
    if (part) return { stretch, part };
  }
  return null;
}

function partDown(stretch: IdRange, size: bigint, asked: readonly IdRange[]): IdRange | null {
  let { last } = stretch;
  for (let holder = at(last, asked); holder; holder = at(last, asked)) last = holder.first - 1n;
  if (last < stretch.first) return null;
  const below = asked.filter((range) => range.last < last).map((range) => range.last + 1n);
  return { first: [stretch.first, last - size + 1n, ...below].reduce(max), last };
}

function partUp(stretch: IdRange, size: bigint, asked: readonly IdRange[]): IdRange | null {
  let { first } = stretch;
  for (let holder = at(first, asked); holder; holder = at(first, asked)) first = holder.last + 1n;
  if (first > stretch.last) return null;
  const above = asked.filter((range) => range.first > first).map((range) => range.first - 1n);
  return { first, last: [stretch.last, first + size - 1n, ...above].reduce(min) };
}

const at = (id: bigint, ranges: readonly IdRange[]): IdRange | undefined =>
  ranges.find(({ first, last }) => first <= id && id <= last);
