import { formatTime } from '../runtime/date-time.ts';
import { Bytes, cellsOf, isAbsent, textOf } from './cells.ts';
import type { Column, Encoder, Page } from './table.ts';

const QUOTE_BYTES = Buffer.from('"');

/** Writes one cell; there is room for whatever it may become. */
type WriteCell = (to: Bytes, bytes: Uint8Array, begin: number, end: number) => void;

/** How a format writes lines. */
interface LineFormat {
  /** What stands before each column; the first begins the line. */
  readonly before: readonly string[];
  readonly write: readonly WriteCell[];
  readonly absent: string;
  readonly end: string;
}

/** RFC 4180 with a header. Null is nothing between two commas. */
export function csvEncoder(columns: readonly Column[]): Encoder {
  const page = linesOf(columns, {
    before: columns.map((_, k) => (k === 0 ? '' : ',')),
    write: columns.map(({ kind }) => (kind === 'time' ? timeWriter() : kind === 'text' ? quoted : plain)),
    ...{ absent: '', end: '\r\n' },
  });
  return { begin: () => Buffer.from(`${columns.map(({ name }) => name).join(',')}\r\n`), page, end: () => null };
}

/** One JSON object a line. Decimals are strings, as in the API: a JSON number would be read as a float. */
export function ndjsonEncoder(columns: readonly Column[]): Encoder {
  const page = linesOf(columns, {
    before: columns.map(({ name }, k) => `${k === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    write: columns.map(({ kind }) => {
      if (kind === 'text') return jsonText;
      return kind === 'time' ? inQuotes(timeWriter()) : kind === 'decimal' ? plainInQuotes : plain;
    }),
    ...{ absent: 'null', end: '}\n' },
  });
  return { begin: () => null, page, end: () => null };
}

/** Of a time, and of quotes around it. */
const MOST_ADDED = 32;
/** JSON makes as many bytes of one. */
const MOST_ESCAPED = 6;

function linesOf(columns: readonly Column[], format: LineFormat): (page: Page) => Uint8Array {
  const before = format.before.map((text) => Buffer.from(text));
  const nullable = columns.map((one) => one.nullable);
  const { write } = format;
  const [absent, end] = [Buffer.from(format.absent), Buffer.from(format.end)];
  const fixed = [...before, end].reduce((sum, { length }) => sum + length + absent.length + MOST_ADDED, 0);
  let room = 1 << 20;
  return (page) => {
    const { bytes, ends } = cellsOf(page, columns.length);
    const to = new Bytes(room);
    for (let [cell, from] = [0, 0]; cell < ends.length; ) {
      to.reserve(fixed + MOST_ESCAPED * ((ends[cell + columns.length - 1] as number) - from));
      for (let k = 0; k < columns.length; k += 1, cell += 1) {
        const until = ends[cell] as number;
        to.add(before[k] as Uint8Array);
        if (nullable[k] && isAbsent(bytes, from, until)) to.add(absent);
        else (write[k] as WriteCell)(to, bytes, from, until);
        from = until + 1;
      }
      to.add(end);
    }
    room = Math.ceil(to.length * 1.1); // the next page is much like this one
    return to.taken();
  };
}

const plain: WriteCell = (to, bytes, begin, end) => to.add(bytes, begin, end);

const inQuotes =
  (write: WriteCell): WriteCell =>
  (to, bytes, begin, end) => {
    to.add(QUOTE_BYTES);
    write(to, bytes, begin, end);
    to.add(QUOTE_BYTES);
  };

const plainInQuotes = inQuotes(plain);

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [LINE_FEED, CARRIAGE_RETURN, SPACE, MINUS] = [0x0a, 0x0d, 0x20, 0x2d];

const quoted: WriteCell = (to, bytes, begin, end) => {
  for (let at = begin; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE || byte === COMMA || byte === CARRIAGE_RETURN || byte === LINE_FEED)
      return to.text(`"${textOf(bytes, begin, end).replaceAll('"', '""')}"`);
  }
  to.add(bytes, begin, end);
};

const jsonText: WriteCell = (to, bytes, begin, end) => {
  for (let at = begin; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) return to.text(JSON.stringify(textOf(bytes, begin, end)));
  }
  plainInQuotes(to, bytes, begin, end);
};

/** As `formatTime`, from digits: those of the ms are there already, and neighbours share their second. */
function timeWriter(): WriteCell {
  let second = Buffer.alloc(0);
  let shown = Buffer.alloc(0);
  return (to, bytes, begin, end) => {
    if (end - begin < 4 || bytes[begin] === MINUS) return to.text(formatTime(Number(textOf(bytes, begin, end))));
    if (!isAt(bytes, begin, end - 3, second)) {
      second = Buffer.from(bytes.subarray(begin, end - 3));
      shown = Buffer.from(formatTime(Number(second) * 1_000));
    }
    for (let k = 1; k <= 3; k += 1) shown[shown.length - 1 - k] = bytes[end - k] as number; // before the Z
    to.add(shown);
  };
}

/** From the end, where neighbours differ. */
function isAt(bytes: Uint8Array, begin: number, end: number, text: Uint8Array): boolean {
  let k = text.length;
  if (end - begin !== k) return false;
  while (k > 0 && bytes[begin + k - 1] === text[k - 1]) k -= 1;
  return k === 0;
}
