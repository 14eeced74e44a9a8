import { type Decimal, decimalPlaces, scaled } from './decimal.ts';
import type { Trade } from './market-event.ts';

/** A record and the ids of the fills it stands for: every id from `first` to `last`. */
export interface FillRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly size: Decimal;
}

const [ZERO, NINE] = [48, 57];
/** Integers of so many digits are below 2^53. */
const EXACT_DIGITS = 15;

/** A trade id as a number; NaN where it is none, or one too large to be exact. */
export function exactId(tradeId: string): number {
  const { length } = tradeId;
  if (length === 0 || length > EXACT_DIGITS || (length > 1 && tradeId.charCodeAt(0) === ZERO)) return Number.NaN;
  let value = 0;
  for (let at = 0; at < length; at += 1) {
    const code = tradeId.charCodeAt(at);
    if (code < ZERO || code > NINE) return Number.NaN;
    value = value * 10 + (code - ZERO);
  }
  return value;
}

/** The fills of a trade; null where its id is no number, so that it can only stand for itself. */
export function fillRange({
  tradeId,
  fillCount,
  size,
}: Pick<Trade, 'tradeId' | 'fillCount' | 'size'>): FillRange | null {
  if (!/^(0|[1-9]\d{0,40})$/.test(tradeId)) return null;
  const last = BigInt(tradeId);
  return { first: last - BigInt(fillCount) + 1n, last, size };
}

/** What of a trade is not stored yet. */
export type Remainder =
  | { readonly kind: 'whole' }
  | { readonly kind: 'none' }
  /** The fills that are missing, as one record: their exact size, under the highest missing id. */
  | { readonly kind: 'rest'; readonly trade: Trade }
  /** It overlaps a stored record that also stands for other fills: what they share cannot be told. */
  | { readonly kind: 'unknown' };

/**
 * Compares a trade with the stored records of its instrument that touch its fills, so that no volume is counted twice,
 * whichever of a packed record and its single fills comes first. Pure; exact.
 */
export function remainderOf(trade: Trade, stored: readonly FillRange[]): Remainder {
  const range = fillRange(trade);
  const touching = range === null ? [] : stored.filter(({ first, last }) => first <= range.last && last >= range.first);
  if (range === null || touching.length === 0) return { kind: 'whole' };
  const missing = subtract(range, touching);
  if (missing.length === 0) return { kind: 'none' };
  if (touching.some(({ first, last }) => first < range.first || last > range.last)) return { kind: 'unknown' };
  const size = minus(trade.size, touching);
  const [lowest, highest] = [missing[0]?.first ?? range.first, missing.at(-1)?.last ?? range.last];
  if (size === null) return { kind: 'none' };
  return { kind: 'rest', trade: { ...trade, tradeId: String(highest), fillCount: Number(highest - lowest) + 1, size } };
}

/** The ids of `range` that no record covers, as ascending runs. */
function subtract(range: FillRange, records: readonly FillRange[]): readonly { first: bigint; last: bigint }[] {
  const runs: { first: bigint; last: bigint }[] = [];
  let next = range.first;
  for (const { first, last } of records.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    if (first > next) runs.push({ first: next, last: first - 1n });
    if (last >= next) next = last + 1n;
  }
  if (next <= range.last) runs.push({ first: next, last: range.last });
  return runs;
}

/** The exact difference, null unless it is positive. */
function minus(size: Decimal, parts: readonly FillRange[]): Decimal | null {
  const places = Math.max(decimalPlaces(size), ...parts.map((part) => decimalPlaces(part.size)));
  const rest = parts.reduce((left, part) => left - scaled(part.size, places), scaled(size, places));
  if (rest <= 0n) return null;
  const digits = String(rest).padStart(places + 1, '0');
  return (places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`) as Decimal;
}
