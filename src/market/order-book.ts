import { compareDecimals, type Decimal, isZero } from './decimal.ts';
import type { BookLevel } from './market-event.ts';

/** Both sides of one order book, kept sorted best first. The exchange's own digits are kept. */
export class BookSides {
  #bids: BookLevel[] = [];
  #asks: BookLevel[] = [];

  replace(bids: readonly BookLevel[], asks: readonly BookLevel[]): void {
    const listed = ([, size]: BookLevel) => !isZero(size);
    this.#bids = bids.filter(listed).sort(([a], [b]) => compareDecimals(b, a));
    this.#asks = asks.filter(listed).sort(([a], [b]) => compareDecimals(a, b));
  }

  /** A size of zero removes a level; removing one that is not there is normal. */
  apply(bids: readonly BookLevel[], asks: readonly BookLevel[]): void {
    for (const level of bids) applyLevel(this.#bids, level, (a, b) => compareDecimals(b, a));
    for (const level of asks) applyLevel(this.#asks, level, compareDecimals);
  }

  clear(): void {
    this.#bids = [];
    this.#asks = [];
  }

  /** Best bid at or above best ask: no exchange has such a book, so ours is broken. */
  get crossed(): boolean {
    const [bid] = this.#bids;
    const [ask] = this.#asks;
    return bid !== undefined && ask !== undefined && compareDecimals(bid[0], ask[0]) >= 0;
  }

  /** The best levels as new arrays. */
  top(levels: number): { readonly bids: readonly BookLevel[]; readonly asks: readonly BookLevel[] } {
    return { bids: this.#bids.slice(0, levels), asks: this.#asks.slice(0, levels) };
  }
}

function applyLevel(side: BookLevel[], level: BookLevel, order: (a: Decimal, b: Decimal) => number): void {
  let low = 0;
  let high = side.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = side[middle];
    if (at && order(at[0], level[0]) < 0) low = middle + 1;
    else high = middle;
  }
  const found = side[low];
  const present = found !== undefined && compareDecimals(found[0], level[0]) === 0;
  if (isZero(level[1])) {
    if (present) side.splice(low, 1);
  } else side.splice(low, present ? 1 : 0, level);
}
