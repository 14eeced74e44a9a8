import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingText } from '../../../src/pipeline/spool/growing-text.ts';

const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
  fc.integer({ min: -1_001, max: 1_001 }),
  fc.constantFrom(0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 999_999_999, 1_000_000_000),
);
const piece = fc.oneof(
  integer,
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constant('é'.repeat(30_000)),
);

describe('a text that grows', () => {
  it('is its pieces one after the other, again and again', () => {
    const text = new GrowingText();
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        text.clear();
        for (const one of pieces) typeof one === 'number' ? text.addInteger(one) : text.add(one);
        expect(text.toString()).toBe(pieces.join(''));
        expect(text.length).toBe(Buffer.byteLength(pieces.join('')));
      }),
      { numRuns: 2_000 },
    );
  });
});
