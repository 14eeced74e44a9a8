import { AppError } from '../runtime/errors.ts';

/** A price or size exactly as the exchange printed it, e.g. "0.10000000". Never a float. */
export type Decimal = string & { readonly brand: 'Decimal' };

const DECIMAL = /^-?\d{1,60}(\.\d{1,60})?$/;

export const isDecimal = (text: unknown): text is Decimal => typeof text === 'string' && DECIMAL.test(text);

/** @throws {AppError} DECIMAL_INVALID for anything but plain digits with an optional fraction (no exponent, no sign but minus). */
export function decimal(text: string): Decimal {
  if (isDecimal(text)) return text;
  throw new AppError('DECIMAL_INVALID', `A decimal is digits with an optional fraction, was "${text.slice(0, 80)}"`);
}

/** Exact order of two decimals: negative, zero or positive. Trailing zeros do not matter. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a === b) return 0;
  const difference = Number(a) - Number(b); // far apart: the float order is the exact order
  const scale = Math.max(Math.abs(Number(a)), Math.abs(Number(b)));
  if (Math.abs(difference) > scale * 1e-14) return difference;
  const places = Math.max(decimalPlaces(a), decimalPlaces(b));
  const [left, right] = [scaled(a, places), scaled(b, places)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export const isZero = (value: Decimal): boolean => !/[1-9]/.test(value);

export function decimalPlaces(value: Decimal): number {
  const point = value.indexOf('.');
  return point < 0 ? 0 : value.length - point - 1;
}

/** The decimal times 10^places as an integer; `places` must not be smaller than its own. */
export function scaled(value: Decimal, places: number): bigint {
  return BigInt(value.replace('.', '') + '0'.repeat(places - decimalPlaces(value)));
}

/** The quotient rounded half up to so many digits after the point (12 at most), without trailing zeros; null for a divisor of zero. For values of 0 and more. */
export function divideDecimals(dividend: Decimal, divisor: Decimal, places: number): Decimal | null {
  const small = quotientOf(dividend, divisor, places);
  if (small === null) return divideLarge(dividend, divisor, places);
  return joined(String(small.whole), String(small.fraction).padStart(places, '0'));
}

function divideLarge(dividend: Decimal, divisor: Decimal, places: number): Decimal | null {
  const common = Math.max(decimalPlaces(dividend), decimalPlaces(divisor));
  const [over, under] = [scaled(dividend, common + places), scaled(divisor, common)];
  if (under === 0n) return null;
  const digits = String((2n * over + under) / (2n * under)).padStart(places + 1, '0');
  const point = digits.length - places;
  return joined(digits.slice(0, point), digits.slice(point));
}

const POWERS = Array.from({ length: 13 }, (_, power) => 10 ** power);

/** What stands before the point, and what behind it in units of the last of its places. */
export interface Quotient {
  readonly whole: number;
  readonly fraction: number;
}

/** The same as numbers, in half the time: by long division of a few digits a step, in whole numbers a double holds exactly; null where they are too large, or the divisor is zero. */
export function quotientOf(dividend: Decimal, divisor: Decimal, places: number): Quotient | null {
  const [over, under] = [digitsOf(dividend), digitsOf(divisor)];
  let left = places + decimalPlaces(divisor) - decimalPlaces(dividend);
  if (left < 0 || left > places || under === 0 || over > MOST || under * 10 > MOST) return null;
  let most = 1;
  while (most < left && under * (POWERS[most + 1] as number) <= MOST) most += 1;
  const first = floorOf(over, under);
  let rest = over - first * under;
  const split = POWERS[places - left] as number;
  let whole = Math.floor(first / split);
  let fraction = first - whole * split;
  while (left > 0) {
    const step = POWERS[Math.min(most, left)] as number;
    const digits = floorOf(rest * step, under);
    rest = rest * step - digits * under;
    fraction = fraction * step + digits;
    left -= most;
  }
  if (2 * rest >= under) fraction += 1;
  if (fraction === POWERS[places]) [whole, fraction] = [whole + 1, 0];
  return { whole, fraction };
}

const MOST = Number.MAX_SAFE_INTEGER;

/** Their quotient rounded down. As a double it may have been rounded up to a whole number. */
function floorOf(over: number, under: number): number {
  const found = Math.floor(over / under);
  return found * under > over ? found - 1 : found;
}

/** The digits of a decimal as one number, inexact above 2^53. */
function digitsOf(value: Decimal): number {
  let digits = 0;
  for (let k = 0; k < value.length; k += 1) {
    const code = value.charCodeAt(k);
    if (code !== POINT) digits = digits * 10 + code - ZERO;
  }
  return digits;
}

const [POINT, ZERO] = [0x2e, 0x30];

function joined(whole: string, fraction: string): Decimal {
  let end = fraction.length;
  while (end > 0 && fraction.charCodeAt(end - 1) === ZERO) end -= 1;
  return (end === 0 ? whole : `${whole}.${fraction.slice(0, end)}`) as Decimal;
}
