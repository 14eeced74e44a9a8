import { AppError } from '../runtime/errors.ts';
import { Bytes, textOf } from './cells.ts';
import type { Kind } from './table.ts';

/** Every reader takes 38 digits; 18 of them after the point hold whatever an exchange prints. */
export const PRECISION = 38;
export const SCALE = 18;
export const DECIMAL_BYTES = 16;

/** The smallest and the largest of what a column holds; of numbers with both signs where that is zero. */
export interface Bounds {
  readonly least: bigint | number | string;
  readonly most: bigint | number | string;
}

/** The values of one column as Parquet's PLAIN encoding has them, one after another. */
export interface Values {
  add(bytes: Uint8Array, begin: number, end: number): void;
  /** What was added since the last call; it is overwritten by what is added next. */
  take(): { readonly bytes: Uint8Array; readonly bounds: Bounds | null };
}

export const valuesOf = (kind: Kind): Values => MAKE[kind]();

/** Grows as needed, and is kept. */
const ROOM = 1 << 16;
const [MINUS, POINT, ZERO, NINE] = [0x2d, 0x2e, 0x30, 0x39];
/** So many digits are exact in a number. */
const SAFE_DIGITS = 15;
const TWO_32 = 2 ** 32;

function integers(): Values {
  const to = new Bytes(ROOM);
  let least: bigint | number = Number.POSITIVE_INFINITY;
  let most: bigint | number = Number.NEGATIVE_INFINITY;
  return {
    add(bytes, begin, end) {
      to.reserve(8);
      const isShort = end - begin <= SAFE_DIGITS && bytes[begin] !== MINUS;
      const value = isShort ? digitsOf(bytes, begin, end) : BigInt(textOf(bytes, begin, end));
      if (typeof value === 'number') {
        to.buffer.writeUInt32LE(value % TWO_32, to.length);
        to.buffer.writeUInt32LE(Math.floor(value / TWO_32), to.length + 4);
      } else to.buffer.writeBigInt64LE(value, to.length);
      to.length += 8;
      if (value < least) least = value;
      if (value > most) most = value;
    },
    take() {
      const bytes = to.taken();
      const bounds = bytes.length === 0 ? null : { least: BigInt(least), most: BigInt(most) };
      to.length = 0;
      least = Number.POSITIVE_INFINITY;
      most = Number.NEGATIVE_INFINITY;
      return { bytes, bounds };
    },
  };
}

function digitsOf(bytes: Uint8Array, begin: number, end: number): number {
  let value = 0;
  for (let at = begin; at < end; at += 1) value = value * 10 + digitAt(bytes, at);
  return value;
}

function digitAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number;
  if (byte < ZERO || byte > NINE) throw new AppError('DECIMAL_INVALID', 'A number is not made of digits');
  return byte - ZERO;
}

function ratios(): Values {
  const to = new Bytes(ROOM);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    add(bytes, begin, end) {
      const value = Number(textOf(bytes, begin, end));
      to.reserve(8);
      to.length = to.buffer.writeDoubleLE(value, to.length);
      least = Math.min(least, value);
      most = Math.max(most, value);
    },
    take() {
      const bytes = to.taken();
      // As Parquet wants it: zero stands for both of its signs.
      const bounds = bytes.length === 0 ? null : { least: least === 0 ? -0 : least, most: most === 0 ? 0 : most };
      to.length = 0;
      [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      return { bytes, bounds };
    },
  };
}

/** Each after its length. */
function texts(): Values {
  const to = new Bytes(ROOM);
  /** Where they lie. */
  let least: [number, number] | null = null;
  let most: [number, number] | null = null;
  return {
    add(bytes, begin, end) {
      to.reserve(4 + end - begin);
      const from = to.buffer.writeUInt32LE(end - begin, to.length);
      to.length = from;
      to.add(bytes, begin, end);
      const { buffer, length } = to;
      if (least === null || compare(buffer, from, length, ...least) < 0) least = [from, length];
      if (most === null || compare(buffer, from, length, ...most) > 0) most = [from, length];
    },
    take() {
      const bytes = to.taken();
      const bounds = least && most ? { least: textOf(bytes, ...least), most: textOf(bytes, ...most) } : null;
      to.length = 0;
      [least, most] = [null, null];
      return { bytes, bounds };
    },
  };
}

/** In the order of their bytes. */
function compare(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b);
  for (let k = 0; k < length; k += 1) {
    const difference = (bytes[a + k] as number) - (bytes[b + k] as number);
    if (difference !== 0) return difference;
  }
  return aEnd - a - (bEnd - b);
}

/** Their bounds are of no use: the places of a decimal differ. */
function decimals(): Values {
  const to = new Bytes(ROOM);
  return {
    add(bytes, begin, end) {
      to.reserve(DECIMAL_BYTES);
      writeDecimal(to.buffer, to.length, bytes, begin, end);
      to.length += DECIMAL_BYTES;
    },
    take() {
      const bytes = to.taken();
      to.length = 0;
      return { bytes, bounds: null };
    },
  };
}

/** Digits that are taken at a time: a limb times as many tens is still exact. */
const CHUNK_DIGITS = 6;
const limbs = new Float64Array(DECIMAL_BYTES / 4);

/**
 * The unscaled integer, big-endian two's complement.
 * @throws {AppError} DECIMAL_INVALID when it would not fit: cut digits would pass for the value.
 */
function writeDecimal(to: Buffer, at: number, bytes: Uint8Array, begin: number, end: number): void {
  const isNegative = bytes[begin] === MINUS;
  const first = isNegative ? begin + 1 : begin;
  let point = first;
  while (point < end && bytes[point] !== POINT) point += 1;
  const places = point === end ? 0 : end - point - 1;
  if (places > SCALE || point - first > PRECISION - SCALE || first === end) {
    const shown = textOf(bytes, begin, Math.min(end, begin + 80));
    throw new AppError('DECIMAL_INVALID', `"${shown}" does not fit DECIMAL(${PRECISION}, ${SCALE})`);
  }
  limbs.fill(0);
  let [chunk, factor, count] = [0, 1, 0];
  const last = point + 1 + SCALE;
  for (let k = first; k < last; k += 1) {
    if (k === point) continue;
    chunk = chunk * 10 + (k < end ? digitAt(bytes, k) : 0);
    factor *= 10;
    count += 1;
    if (count < CHUNK_DIGITS && k < last - 1) continue;
    multiplyAdd(factor, chunk);
    [chunk, factor, count] = [0, 1, 0];
  }
  if (isNegative) negate();
  for (let k = 0; k < limbs.length; k += 1) to.writeUInt32BE(limbs[limbs.length - 1 - k] as number, at + 4 * k);
}

/** The limbs, the lowest first, times a factor, and so much more. */
function multiplyAdd(factor: number, more: number): void {
  let carry = more;
  for (let k = 0; k < limbs.length; k += 1) {
    const product = (limbs[k] as number) * factor + carry;
    carry = Math.floor(product / TWO_32);
    limbs[k] = product - carry * TWO_32;
  }
}

function negate(): void {
  let carry = 1;
  for (let k = 0; k < limbs.length; k += 1) {
    const limb = TWO_32 - 1 - (limbs[k] as number) + carry;
    carry = limb === TWO_32 ? 1 : 0;
    limbs[k] = limb === TWO_32 ? 0 : limb;
  }
}

const MAKE: Readonly<Record<Kind, () => Values>> = {
  ...{ time: integers, integer: integers, ratio: ratios, text: texts, decimal: decimals },
};
