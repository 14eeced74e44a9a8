import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';

/** What a column holds, which decides how each format writes it. */
export type Kind = 'time' | 'text' | 'decimal' | 'integer' | 'ratio';

export interface Column {
  readonly name: string;
  readonly kind: Kind;
  readonly nullable: boolean;
}

/** Text, whatever the kind: a time is ms in digits. */
export type Cell = string | null;
export type Row = readonly Cell[];

/** Rows on their way to an encoder: cells with a tab between, rows with a line feed between. Absent is \N, where a column is nullable. */
export interface Page {
  readonly text: string;
  readonly count: number;
}

export const ABSENT = '\\N';

export const toPage = (rows: readonly Row[]): Page => ({
  text: rows.map((row) => row.map((cell) => cell ?? ABSENT).join('\t')).join('\n'),
  count: rows.length,
});

/** A table that is made while it is read. */
export interface Table {
  readonly columns: readonly Column[];
  readonly pages: AsyncIterable<Page>;
}

/**
 * Row by row, so that nothing of a row outlives it: collecting 100,000 cells a page took more time than writing them.
 * @throws {AppError} DATA_POINT_INVALID when a cell holds what separates cells: a file with shifted columns would be worse than none.
 */
export function* rowsOf({ text, count }: Page, columns: readonly Column[]): Generator<Row, void> {
  const nullable = columns.flatMap((one, k) => (one.nullable ? [k] : []));
  let rows = 0;
  for (let at = 0; at <= text.length; rows += 1) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    const row: Cell[] = line.split('\t');
    if (row.length !== columns.length) throw shifted(line);
    for (const k of nullable) if (row[k] === ABSENT) row[k] = null;
    yield row;
    at += line.length + 1;
  }
  if (rows !== count) throw shifted(text.slice(0, 200));
}

const shifted = (near: string) =>
  new AppError('DATA_POINT_INVALID', `A cell near "${near.slice(0, 200)}" holds a tab or a line break`);

/** Turns rows into the bytes of a file; the parts in the order of the calls are the file. */
export interface Encoder {
  begin(): Uint8Array | null;
  page(rows: Iterable<Row>): Uint8Array | null;
  end(): Uint8Array | null;
}

export const column = (kind: Kind, name: string, nullable = false): Column => ({ name, kind, nullable });

let lastSecond = '';
let lastPrefix = '';

/** As `formatTime`, from digits: those of the ms are there already, and neighbours share their second. */
function shownTime(cell: string): string {
  if (cell.length < 4 || cell.startsWith('-')) return formatTime(Number(cell));
  const second = cell.slice(0, -3);
  if (second !== lastSecond) {
    lastPrefix = formatTime(Number(second) * 1_000).slice(0, -4);
    lastSecond = second;
  }
  return `${lastPrefix}${cell.slice(-3)}Z`;
}

/** RFC 4180 with a header. Null is nothing between two commas. */
export function csvEncoder(columns: readonly Column[]): Encoder {
  const write = columns.map(({ kind }) => (kind === 'time' ? shownTime : kind === 'text' ? quoted : plain));
  return {
    begin: () => Buffer.from(`${columns.map(({ name }) => name).join(',')}\r\n`),
    page: (rows) => linesOf(rows, (row) => lineOf(row, write, '')),
    end: () => null,
  };
}

const plain = (cell: string): string => cell;
const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

function lineOf(row: Row, write: readonly ((cell: string) => string)[], absent: string): string {
  let line = '';
  for (let k = 0; k < write.length; k += 1) {
    const cell = row[k] ?? null;
    line += (k === 0 ? '' : ',') + (cell === null ? absent : (write[k] as (cell: string) => string)(cell));
  }
  return `${line}\r\n`;
}

/** One JSON object a line. Decimals are strings, as in the API: a JSON number would be read as a float. */
export function ndjsonEncoder(columns: readonly Column[]): Encoder {
  const keys = columns.map(({ name }, k) => `${k === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  const write = columns.map(({ kind }): ((cell: string) => string) => {
    if (kind === 'time') return (cell) => `"${shownTime(cell)}"`;
    if (kind === 'text') return (cell) => JSON.stringify(cell);
    return kind === 'decimal' ? (cell) => `"${cell}"` : plain;
  });
  const lineOfRow = (row: Row): string => {
    let line = '';
    for (let k = 0; k < keys.length; k += 1) {
      const cell = row[k] ?? null;
      line += keys[k] + (cell === null ? 'null' : (write[k] as (cell: string) => string)(cell));
    }
    return `${line}}\n`;
  };
  return { begin: () => null, page: (rows) => linesOf(rows, lineOfRow), end: () => null };
}

/** The lines as UTF-8, in memory of their own. */
function linesOf(rows: Iterable<Row>, lineOfRow: (row: Row) => string): Uint8Array {
  let bytes = Buffer.allocUnsafeSlow(1 << 20);
  let used = 0;
  for (const row of rows) {
    const line = lineOfRow(row);
    // UTF-8 takes three bytes at most for each unit of a string.
    if (used + 3 * line.length > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * bytes.length + 3 * line.length);
      bytes.copy(larger, 0, 0, used);
      bytes = larger;
    }
    used += bytes.write(line, used);
  }
  return bytes.subarray(0, used);
}
