/** Where a trade stands in the order of its market: by exchange time (ms), then by id as a number. */
export interface TradePlace {
  readonly time: number;
  readonly tradeId: string;
}

/** Negative, zero or positive: which of two trades was made first. As PostgreSQL orders by time, `length(trade_id)`, `trade_id`. */
export const compareTrades = (a: TradePlace, b: TradePlace): number =>
  a.time - b.time || lengthOf(a.tradeId) - lengthOf(b.tradeId) || compareIds(a.tradeId, b.tradeId);

/** By the bytes of their UTF-8, as PostgreSQL does under the collation "C". */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  if (isWide(a) || isWide(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const lengthOf = (id: string): number => (isWide(id) ? Array.from(id).length : id.length);

/** Characters of two units come after all others, and count as one. */
const isWide = (id: string): boolean => /[\ud800-\udfff]/.test(id);
