import { formatTime } from '../../runtime/date-time.ts';
import type { SelectionPlan } from './plan.ts';

/** What was completed as text has been written to the output. */
export const WRITTEN = Symbol('written');

/** Text of its own, of what was late: its parts are put together once, when all is there. */
export type Piece = readonly Uint8Array[];

/** A place in the output for what is late; null is written as such. */
export interface Hole {
  readonly at: number;
  readonly piece: Promise<unknown>;
}

/** A list that can write its items by itself, at less cost than field by field. */
export interface WritesItself {
  /** Writes all of them, with commas between, exactly as the fields would have; or nothing, and returns false. */
  writeItems(selection: SelectionPlan): boolean;
}

export const writesItself = (values: object): values is WritesItself =>
  typeof (values as Partial<WritesItself>).writeItems === 'function';

const FIRST_BYTES = 65_536;
/** Of one answer in a thousand; the room for it is not kept. */
const KEPT_BYTES = 4_194_304;
const NULL: Piece = [Buffer.from('null')];
const DAY_MS = 86_400_000;
const TIME_OF_DAY = '00:00:00.000Z';
const LOWER_PLACES = 6;
const MILLION = 1_000_000;
const [ZERO, COLON, POINT, CAPITAL_Z] = [0x30, 0x3a, 0x2e, 0x5a];
const [QUOTE, BACKSLASH, FIRST_PRINTABLE, LAST_PRINTABLE] = [0x22, 0x5c, 0x20, 0x7e];

/** Or is of no single byte. */
const needsEscape = (code: number): boolean =>
  code < FIRST_PRINTABLE || code > LAST_PRINTABLE || code === QUOTE || code === BACKSLASH;

/** Returns where the next byte will stand. */
function twoDigits(bytes: Uint8Array, at: number, number: number, then: number): number {
  const tens = (number / 10) | 0;
  bytes[at] = ZERO + tens;
  bytes[at + 1] = ZERO + number - tens * 10;
  bytes[at + 2] = then;
  return at + 3;
}

/**
 * JSON text in UTF-8. One for all runs: whoever writes at once takes it out at once. Written byte by byte, as a string of some 20,000 parts
 * takes longer to put together and to encode than objects and `JSON.stringify`.
 */
class TextOutput {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;
  #day = Number.NaN;
  #date = Buffer.of();

  /** Where the next byte will stand. */
  get at(): number {
    return this.#at;
  }

  /** Text of ASCII alone. */
  plain(text: string): void {
    const length = text.length;
    if (this.#at + length > this.#bytes.length) this.#grow(length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let k = 0; k < length; k += 1) bytes[at++] = text.charCodeAt(k);
    this.#at = at;
  }

  bytes(text: Uint8Array): void {
    this.part(text, 0, text.length);
  }

  /** Text of ASCII that needs no escapes, in quotes. */
  quoted(text: string): void {
    const length = text.length;
    if (this.#at + length + 2 > this.#bytes.length) this.#grow(length + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let k = 0; k < length; k += 1) bytes[at++] = text.charCodeAt(k);
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  /** A part of a text of ASCII. */
  part(text: Uint8Array, from: number, to: number): void {
    if (this.#at + to - from > this.#bytes.length) this.#grow(to - from);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let k = from; k < to; k += 1) bytes[at++] = text[k] as number;
    this.#at = at;
  }

  /** The same in quotes, with escapes where it needs them. */
  quotedPart(text: Uint8Array, from: number, to: number): void {
    if (this.#at + to - from + 2 > this.#bytes.length) this.#grow(to - from + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let k = from; k < to; k += 1) {
      const code = text[k] as number;
      if (needsEscape(code)) return this.value(String.fromCharCode(...text.subarray(from, to)));
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  /** A time in ms as `formatTime` writes it, in quotes. Times of one page share most days, so the day is kept. */
  time(ms: number): void {
    const day = Math.floor(ms / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#date = Buffer.from(`"${formatTime(day * DAY_MS).slice(0, -TIME_OF_DAY.length)}`);
    }
    const date = this.#date;
    if (this.#at + date.length + TIME_OF_DAY.length + 1 > this.#bytes.length)
      this.#grow(date.length + TIME_OF_DAY.length + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let k = 0; k < date.length; k += 1) bytes[at++] = date[k] as number;
    // Whole numbers of 32 bits take half the time of others.
    const rest = (ms - day * DAY_MS) | 0;
    const seconds = (rest / 1_000) | 0;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    const fraction = rest - seconds * 1_000;
    const hundreds = (fraction / 100) | 0;
    at = twoDigits(bytes, at, hours, COLON);
    at = twoDigits(bytes, at, minutes - hours * 60, COLON);
    at = twoDigits(bytes, at, seconds - minutes * 60, POINT);
    bytes[at++] = ZERO + hundreds;
    at = twoDigits(bytes, at, fraction - hundreds * 100, CAPITAL_Z);
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  /** A decimal of so many places (up to 12) in quotes, without trailing zeros. `fraction`: in units of the last of them. */
  decimal(whole: number, fraction: number, places: number): void {
    if (fraction === 0) return this.quoted(String(whole));
    this.plain(`"${whole}.`);
    if (this.#at + places + 1 > this.#bytes.length) this.#grow(places + 1);
    const bytes = this.#bytes;
    const from = this.#at;
    // Whole numbers of 32 bits take half the time of others.
    const upper = Math.floor(fraction / MILLION) | 0;
    let rest = (fraction - upper * MILLION) | 0;
    let end = from;
    for (let place = places - 1; place >= 0; place -= 1) {
      if (place === places - 1 - LOWER_PLACES) rest = upper;
      const shorter = (rest / 10) | 0;
      const digit = rest - shorter * 10;
      bytes[from + place] = ZERO + digit;
      if (digit > 0 && end === from) end = from + place + 1;
      rest = shorter;
    }
    bytes[end] = QUOTE;
    this.#at = end + 1;
  }

  /** What a scalar was serialized to. */
  value(value: unknown): void {
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number') this.plain(Number.isFinite(value) ? String(value) : 'null');
    else this.#utf8(JSON.stringify(value) ?? 'null');
  }

  #string(text: string): void {
    const length = text.length;
    if (this.#at + length + 2 > this.#bytes.length) this.#grow(length + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let k = 0; k < length; k += 1) {
      const code = text.charCodeAt(k);
      if (needsEscape(code)) return this.#utf8(JSON.stringify(text));
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  #utf8(text: string): void {
    const length = Buffer.byteLength(text);
    if (this.#at + length > this.#bytes.length) this.#grow(length);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** Forgets what was written since. */
  rewind(mark: number): void {
    this.#at = mark;
  }

  /** Takes out what was written since. */
  take(mark: number): Piece {
    const piece = [Buffer.from(this.#bytes.subarray(mark, this.#at))];
    this.#at = mark;
    if (mark === 0 && this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
    return piece;
  }

  /** Ends what began at the mark: it is written, unless something of it is late. */
  end(mark: number, holes: readonly Hole[] | null): typeof WRITTEN | Promise<Piece> {
    if (holes === null) return WRITTEN;
    const [text = Buffer.of()] = this.take(mark);
    return Promise.all(holes.map(({ piece }) => piece)).then((pieces) => {
      const parts: Uint8Array[] = [];
      let from = 0;
      for (const [k, { at }] of holes.entries()) {
        parts.push(text.subarray(from, at - mark), ...((pieces[k] as Piece | null) ?? NULL));
        from = at - mark;
      }
      parts.push(text.subarray(from));
      return parts;
    });
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

export const output = new TextOutput();

/** After what was completed: keeps a place for it where it is late, writes it where it is null. Returns the places there are now. */
export function placed(completed: unknown, holes: Hole[] | null): Hole[] | null {
  if (completed === WRITTEN) return holes;
  if (completed === null) {
    output.plain('null');
    return holes;
  }
  const hole = { at: output.at, piece: completed as Promise<unknown> };
  if (holes === null) return [hole];
  holes.push(hole);
  return holes;
}

/** Forgets what was written since the mark, for an error. */
export function loseText(error: unknown, mark: number, holes: readonly Hole[] | null): Promise<never> {
  output.rewind(mark);
  return lose(error, holes?.map(({ piece }) => piece) ?? null);
}

/** Takes out what the work writes. */
export function asPiece(work: () => unknown): unknown {
  const mark = output.at;
  const result = work();
  return result === WRITTEN ? output.take(mark) : result;
}

/** It is lost already, but what still runs must neither be left unhandled nor outlive the answer. */
export function lose(error: unknown, waiting: readonly unknown[] | null): Promise<never> {
  if (waiting === null) throw error;
  return Promise.allSettled(waiting).then(() => {
    throw error;
  });
}
