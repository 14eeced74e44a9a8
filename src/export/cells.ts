import { AppError } from '../runtime/errors.ts';
import type { Page } from './table.ts';

const [TAB, LINE_FEED, BACKSLASH, UPPER_N] = [0x09, 0x0a, 0x5c, 0x4e];

/** The cells of a page as bytes, row after row: a cell ends at `ends[k]`, and the next begins after the separator there. */
export interface Cells {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
}

/**
 * Bytes, as making a string of every cell took more time than reading the rows from the database.
 * @throws {AppError} DATA_POINT_INVALID when a cell holds what separates cells: a file with shifted columns would be worse than none.
 */
export function cellsOf({ text, count }: Page, columns: number): Cells {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text) + 1);
  bytes.write(text);
  bytes[bytes.length - 1] = LINE_FEED;
  const ends = new Int32Array(count * columns);
  let [at, left, lineBegin] = [0, columns, 0];
  for (let cell = 0; cell < ends.length; cell += 1) {
    while ((bytes[at] as number) > LINE_FEED || (bytes[at] as number) < TAB) at += 1;
    left -= 1;
    // The last cell of a row, and only it, ends with the line. There is nothing after the last line.
    if (bytes[at] !== (left === 0 ? LINE_FEED : TAB)) throw shifted(bytes, lineBegin);
    ends[cell] = at;
    at += 1;
    if (left > 0) continue;
    left = columns;
    lineBegin = at;
  }
  if (at !== bytes.length) throw shifted(bytes, lineBegin);
  return { bytes, ends };
}

function shifted(bytes: Buffer, at: number): AppError {
  const [line = ''] = bytes.toString('utf8', at, at + 800).split('\n');
  return new AppError('DATA_POINT_INVALID', `A cell near "${line.slice(0, 200)}" holds a tab or a line break`);
}

/** Whether a cell of a nullable column is \N. */
export const isAbsent = (bytes: Uint8Array, begin: number, end: number): boolean =>
  end - begin === 2 && bytes[begin] === BACKSLASH && bytes[begin + 1] === UPPER_N;

export const textOf = (bytes: Uint8Array, begin: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + begin, end - begin).toString();

/** Bytes that are put together, in memory of their own; it grows as needed. */
export class Bytes {
  buffer: Buffer;
  length = 0;

  constructor(room: number) {
    this.buffer = Buffer.allocUnsafeSlow(room);
  }

  /** Makes sure that so many more fit. */
  reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.buffer.length + more);
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  /** Byte by byte, which is faster than a call of `copy` for the few there are. Needs room. */
  add(source: Uint8Array, begin = 0, end = source.length): void {
    const { buffer } = this;
    let { length } = this;
    for (let at = begin; at < end; at += 1) buffer[length++] = source[at] as number;
    this.length = length;
  }

  /** Needs room, as `add` does. */
  text(text: string): void {
    this.length += this.buffer.write(text, this.length);
  }

  taken(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
