import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decimal } from '../../src/market/decimal.ts';
import { BookSides } from '../../src/market/order-book.ts';

const price = fc.integer({ min: 1, max: 40 }).map((cents) => decimal((cents / 100).toFixed(2)));
const size = fc.constantFrom('0', '0.00', '1', '2.5', '0.0000000001').map(decimal);
const levels = fc.array(fc.tuple(price, size), { maxLength: 8 });

it('keeps each side sorted and equal to the changes applied one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(levels, levels), { maxLength: 20 }), (changes) => {
      const book = new BookSides();
      const truth = { bids: new Map<string, string>(), asks: new Map<string, string>() };
      for (const [bids, asks] of changes) {
        book.apply(bids, asks);
        for (const [side, change] of [
          [truth.bids, bids],
          [truth.asks, asks],
        ] as const)
          for (const [at, amount] of change) {
            if (Number(amount) === 0) side.delete(at);
            else side.set(at, amount);
          }
      }
      const sorted = (side: Map<string, string>, sign: number) =>
        [...side].sort(([a], [b]) => sign * (Number(a) - Number(b)));
      expect(book.top(100)).toEqual({ bids: sorted(truth.bids, -1), asks: sorted(truth.asks, 1) });
    }),
  );
});

it('says crossed when the best bid reaches the best ask, and not for an empty side', () => {
  const book = new BookSides();
  book.replace([[decimal('10'), decimal('1')]], []);
  expect(book.crossed).toBe(false);
  book.apply([], [[decimal('10.0'), decimal('1')]]);
  expect(book.crossed).toBe(true);
});

it('forgets levels of size zero in a snapshot', () => {
  const book = new BookSides();
  book.replace(
    [
      [decimal('10'), decimal('0')],
      [decimal('9'), decimal('1')],
    ],
    [],
  );
  expect(book.top(5).bids).toEqual([['9', '1']]);
});
