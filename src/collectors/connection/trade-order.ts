import type { Trade } from '../../market/market-event.ts';

const NUMBER = /^(?:0|[1-9]\d*)$/;

/** By id, which may be beyond 2^53; by time where ids are no numbers. */
export function isNewer(one: Trade, other: Trade): boolean {
  const [a, b] = [one.tradeId, other.tradeId];
  if (!NUMBER.test(a) || !NUMBER.test(b)) return one.exchangeTime > other.exchangeTime;
  return a.length === b.length ? a > b : a.length > b.length;
}
