/**
 * Columns of a batch as PostgreSQL's arrays, in its binary format: the server takes them in in a third of the time that text takes it, and
 * making them takes a third of the time of the driver.
 */

const OID = { char: 18, int8: 20, int4: 23, text: 25, timestamptz: 1184 } as const;
/** Dimensions, whether there are nulls, type, length, lower bound. */
const HEAD_BYTES = 20;
/** Where PostgreSQL counts from, ms since the Unix epoch. */
const EPOCH_MS = Date.UTC(2000, 0);
const LOW = 2 ** 32;

export const int4Array = (values: readonly number[]): Buffer =>
  fixed(OID.int4, 4, values, (bytes, value, at) => bytes.writeInt32BE(value, at));

export const int8Array = (values: readonly bigint[]): Buffer =>
  fixed(OID.int8, 8, values, (bytes, value, at) => bytes.writeBigInt64BE(value, at));

/** `"char"`, one byte each. */
export const letterArray = (values: readonly string[]): Buffer =>
  fixed(OID.char, 1, values, (bytes, value, at) => bytes.writeUInt8(value.charCodeAt(0), at));

/** Whole ms since the Unix epoch. @throws {RangeError} for what is no time. */
export const timeArray = (values: readonly number[]): Buffer =>
  fixed(OID.timestamptz, 8, values, (bytes, value, at) => {
    const us = (Math.trunc(value) - EPOCH_MS) * 1_000;
    if (!Number.isSafeInteger(us)) throw new RangeError(`A time is a number of ms, was ${value}`);
    const high = Math.floor(us / LOW);
    bytes.writeInt32BE(high, at);
    bytes.writeUInt32BE(us - high * LOW, at + 4);
  });

/** Null where every value is, as unnest then fills up. */
export function textArray(values: readonly (string | null)[]): Buffer | null {
  let room = HEAD_BYTES;
  let nulls = 0;
  for (const value of values) {
    room += 4 + 3 * (value?.length ?? 0); // a unit of a string is at most three bytes of UTF-8
    if (value === null) nulls += 1;
  }
  if (nulls === values.length && nulls > 0) return null;
  const bytes = Buffer.allocUnsafe(room);
  let at = writeHead(bytes, OID.text, values.length, nulls > 0);
  for (const value of values) {
    const size = value === null ? -1 : bytes.write(value, at + 4);
    bytes.writeInt32BE(size, at);
    at += 4 + Math.max(0, size);
  }
  return bytes.subarray(0, at);
}

/** Values of one size each. */
function fixed<T>(
  oid: number,
  size: number,
  values: readonly T[],
  write: (bytes: Buffer, value: T, at: number) => unknown,
): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + values.length * (4 + size));
  let at = writeHead(bytes, oid, values.length, false);
  for (const value of values) {
    bytes.writeInt32BE(size, at);
    write(bytes, value, at + 4);
    at += 4 + size;
  }
  return bytes;
}

function writeHead(bytes: Buffer, oid: number, length: number, hasNulls: boolean): number {
  [1, hasNulls ? 1 : 0, oid, length, 1].forEach((word, k) => {
    bytes.writeInt32BE(word, k * 4);
  });
  return HEAD_BYTES;
}
