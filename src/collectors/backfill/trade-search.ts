import type { IdRange } from '../../market/coverage.ts';
import type { Trade } from '../../market/market-event.ts';
import { idsOf, type TradesAnswer } from '../rest/exchange-rest.ts';

/** What was asked for: the newest trades of all, or a page of an open stretch. */
export interface Search {
  readonly way: 'recent' | 'down' | 'up';
  /** The open stretch the question is about. */
  readonly stretch: IdRange;
  /** Its part that one page can hold: pages go down from `last` + 1, which is asked for as well, or up from `first`. */
  readonly part: IdRange;
  /** Rows of a full answer. */
  readonly limit: number;
}

/** What an answer says about an open stretch. */
export interface Finding {
  /** Trades of the stretch, ascending. */
  readonly found: readonly Trade[];
  /** Ids the exchange does not have: it showed trades on both sides of them, or had room for them and showed what lies beyond. */
  readonly absent: readonly IdRange[];
  /** Ids above everything it showed: it may not have got there yet. */
  readonly unseen: IdRange | null;
  /** The oldest id of a page that had room for older ones: what the exchange keeps seems to begin there. */
  readonly begins: bigint | null;
}

/**
 * Judges an answer. An id counts as absent only when the answer shows a trade above it, so an exchange whose REST side lags behind
 * its sockets never makes us give up what it will show in a moment; and never when a row of the answer could not be read.
 */
export function judge(search: Search, answer: TradesAnswer): Finding {
  const { stretch } = search;
  const found = answer.trades.filter((trade) => {
    const { first, last } = idsOf(trade);
    return last >= stretch.first && first <= stretch.last;
  });
  if (answer.rejected > 0) return { found, absent: [], unseen: null, begins: null };
  const [oldest, newest] = [answer.trades[0], answer.trades.at(-1)];
  if (!oldest || !newest) return { found, absent: [], unseen: unseenBy(search, null, 0), begins: null };
  const shown = { first: idsOf(oldest).first, last: idsOf(newest).last };
  const searched = overlap(stretch, searchedBy(search, shown));
  return {
    found,
    absent: searched ? holes(searched, found) : [],
    unseen: unseenBy(search, shown, answer.trades.length),
    begins:
      search.way === 'down' && answer.trades.length < search.limit && shown.first > search.part.first
        ? shown.first
        : null,
  };
}

/** The ids that an answer would have shown, had the exchange had them. */
function searchedBy({ way, stretch, part }: Search, shown: IdRange): IdRange {
  if (way === 'recent') return shown;
  if (way === 'up') return { first: part.first, last: shown.last };
  // Nothing at or below the part, although the page had room for it: nothing of the whole stretch below is there.
  const first = shown.first > part.last ? stretch.first : shown.first;
  return { first, last: min(shown.last, part.last) };
}

function unseenBy({ way, stretch, part, limit }: Search, shown: IdRange | null, rows: number): IdRange | null {
  if (way === 'recent') return null;
  if (way === 'up') {
    if (rows >= limit) return null;
    const first = shown === null ? part.first : max(part.first, shown.last + 1n);
    return first <= stretch.last ? { first, last: stretch.last } : null;
  }
  if (shown === null) return { first: stretch.first, last: part.last };
  return shown.last < part.last ? { first: shown.last + 1n, last: part.last } : null;
}

/** The ids of a range that none of the trades stands for, as ascending runs. */
function holes(range: IdRange, trades: readonly Trade[]): readonly IdRange[] {
  const runs: IdRange[] = [];
  let next = range.first;
  for (const { first, last } of trades.map(idsOf)) {
    if (first > range.last) break;
    if (first > next) runs.push({ first: next, last: first - 1n });
    next = max(next, last + 1n);
  }
  if (next <= range.last) runs.push({ first: next, last: range.last });
  return runs;
}

export function overlap(a: IdRange, b: IdRange): IdRange | null {
  const [first, last] = [max(a.first, b.first), min(a.last, b.last)];
  return first <= last ? { first, last } : null;
}

export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
