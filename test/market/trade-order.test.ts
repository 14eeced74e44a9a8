import { expect, it } from 'vitest';
import { compareTrades } from '../../src/market/trade-order.ts';

const IN_ORDER = [
  [1, '10'],
  [2, '9'],
  [2, 'a'],
  [2, '\uffee'],
  [2, '\u{1f600}'],
  [2, '10'],
  [2, 'B9'],
  [2, 'a1'],
  [2, '\u{1f600}1'],
  [2, '100'],
] as const;

it('orders trades by time, by the length of their ids and by the bytes of these, as the database does', () => {
  const places = IN_ORDER.map(([time, tradeId]) => ({ time, tradeId }));
  for (const [k, one] of places.entries())
    for (const [m, other] of places.entries()) expect(Math.sign(compareTrades(one, other))).toBe(Math.sign(k - m));
});
