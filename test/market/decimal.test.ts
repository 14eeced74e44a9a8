import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDecimals, decimal, divideDecimals, isDecimal, isZero, scaled } from '../../src/market/decimal.ts';

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^\\d{1,${maxLength}}$`));
const decimals = fc
  .tuple(fc.boolean(), digits(25), fc.option(digits(25)))
  .map(([negative, whole, fraction]) =>
    decimal(`${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`),
  );

describe('decimals', () => {
  it('compare exactly, whatever their length and trailing zeros', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const [left, right] = [scaled(a, 60), scaled(b, 60)];
        expect(Math.sign(compareDecimals(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['30246.50000000000000001', '30246.5', 1],
    ['0.1', '0.10000000', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['-1', '0.5', -1],
  ])('orders %s and %s', (a, b, sign) => {
    expect(Math.sign(compareDecimals(decimal(a), decimal(b)))).toBe(sign);
  });

  it.each(['', ' 1', '1e5', '.5', '1.', '+1', 'NaN', 'Infinity', '0x10', '1,000', '1'.repeat(61)])(
    'refuses %j as a decimal',
    (text) => {
      expect(isDecimal(text)).toBe(false);
      expect(() => decimal(text)).toThrow(expect.objectContaining({ code: 'DECIMAL_INVALID' }));
    },
  );

  it('know zero in every spelling', () => {
    expect(['0', '0.000', '-0', '0.0010'].map((text) => isZero(decimal(text)))).toEqual([true, true, true, false]);
  });
});

describe('a quotient', () => {
  it.each([
    ['90.90', '0.90', '101'],
    ['1', '3', '0.333333333333'],
    ['2', '3', '0.666666666667'],
    ['0', '5', '0'],
    ['100', '1', '100'],
    ['0.0000000000005', '1', '0.000000000001'],
    ['0.0000000000004', '1', '0'],
    ['9007199254740993', '1', '9007199254740993'],
  ])('%s / %s is %s, to twelve digits after the point', (dividend, divisor, quotient) => {
    expect(divideDecimals(decimal(dividend), decimal(divisor), 12)).toBe(quotient);
  });

  it('is that of whole numbers of any size, whatever the digits and their places', () => {
    const value = (digits: number, most: number) =>
      fc
        .tuple(
          fc.stringMatching(new RegExp(`^(0|[1-9]\\d{0,${digits}})$`)),
          fc.stringMatching(new RegExp(`^\\d{0,${most}}$`)),
        )
        .map(([whole, fraction]) => decimal(fraction === '' ? whole : `${whole}.${fraction}`));
    const either = (digits: number, most: number) => fc.oneof(value(digits, most), value(2, 3), value(20, 20));
    fc.assert(
      fc.property(either(8, 14), either(5, 9), fc.constantFrom(0, 1, 5, 12), (dividend, divisor, places) => {
        const [over, under] = [scaled(dividend, 30) * 10n ** BigInt(places), scaled(divisor, 30)];
        const found = divideDecimals(dividend, divisor, places);
        if (found === null || under === 0n) {
          expect([found, under]).toEqual([null, 0n]);
          return;
        }
        const rounded = (2n * over + under) / (2n * under);
        expect(scaled(found, places)).toBe(rounded);
        expect(found).not.toMatch(/\.\d*0$/);
      }),
      { numRuns: 5_000 },
    );
  });

  it('by zero is none', () => {
    expect(divideDecimals(decimal('1'), decimal('0.00'), 12)).toBeNull();
  });
});
