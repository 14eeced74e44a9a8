import fc from 'fast-check';
import { expect, it } from 'vitest';
import { output } from '../../src/graphql/execution/text-output.ts';
import { type Decimal, divideDecimals, quotientOf } from '../../src/market/decimal.ts';

it('writes a quotient as its decimal, without zeros behind it', () => {
  const value = fc.tuple(fc.nat(1_000_000_000), fc.nat(9)).map(([digits, places]) => {
    const text = String(digits).padStart(places + 1, '0');
    return (places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`) as Decimal;
  });
  let written = 0;
  fc.assert(
    fc.property(value, value, fc.integer({ min: 0, max: 12 }), (dividend, divisor, places) => {
      const quotient = quotientOf(dividend, divisor, places);
      if (quotient === null) return;
      written += 1;
      const mark = output.at;
      output.decimal(quotient.whole, quotient.fraction, places);
      expect(String(output.take(mark)[0])).toBe(`"${divideDecimals(dividend, divisor, places)}"`);
    }),
    { numRuns: 5_000 },
  );
  expect(written).toBeGreaterThan(1_000);
});
