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

/** The quotient rounded half up to so many digits after the point, without trailing zeros; null for a divisor of zero. For values of 0 and more. */
export function divideDecimals(dividend: Decimal, divisor: Decimal, places: number): Decimal | null {
  const common = Math.max(decimalPlaces(dividend), decimalPlaces(divisor));
  const [over, under] = [scaled(dividend, common + places), scaled(divisor, common)];
  if (under === 0n) return null;
  const digits = String((2n * over + under) / (2n * under)).padStart(places + 1, '0');
  const point = digits.length - places;
  let end = digits.length;
  while (end > point && digits[end - 1] === '0') end -= 1;
  const whole = digits.slice(0, point);
  return (end === point ? whole : `${whole}.${digits.slice(point, end)}`) as Decimal;
}
