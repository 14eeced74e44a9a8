import pg from 'pg';
import type { Connection } from '../connections.ts';
import type { TableShape } from './table-shape.ts';

/** Rows of one page: some MB at most, also of order books. */
const PAGE_ROWS = 5_000;
const LINE_FEED = 0x0a;

/** Some rows in Postgres' own text form, a line each. */
export interface RowPage {
  readonly rows: number;
  readonly text: Buffer;
}

/**
 * All rows of a table in the order of its key, the same bytes in every database that holds the same rows. A page after another by the
 * key of the last row, as a single statement would keep the embedded database from everything else and all its answer in memory.
 */
export async function* readPages(connection: Connection, shape: TableShape): AsyncGenerator<RowPage> {
  const { name, columns, key } = shape;
  const order = key.map(({ column, bytewise }) => `${column}${bytewise ? ' collate "C"' : ''}`).join(', ');
  for (let after: readonly string[] | null = null; ; ) {
    const beyond =
      after === null ? '' : `where (${order}) > (${after.map((value) => pg.escapeLiteral(value)).join(', ')})`;
    const text = await connection.copyOut(
      `copy (select ${columns.join(', ')} from tcp_dashboard.${name} ${beyond} order by ${order} limit ${PAGE_ROWS}) to stdout`,
    );
    const rows = countLines(text);
    if (rows > 0) yield { rows, text };
    if (rows < PAGE_ROWS) return;
    const last = lastRow(text);
    after = key.map(({ column }) => last[columns.indexOf(column)] ?? '');
  }
}

/** Puts rows of a page into a table that has them not; returns how many. */
export async function writePage(connection: Connection, { name, columns }: TableShape, text: Buffer): Promise<number> {
  await connection.copyIn(`copy tcp_dashboard.${name} (${columns.join(', ')}) from stdin`, text);
  return countLines(text);
}

export async function countRows(connection: Connection, { name }: TableShape): Promise<number> {
  const [row] = await connection.query<{ rows: string }>({
    text: `select count(*) as rows from tcp_dashboard.${name}`,
  });
  return Number(row?.rows);
}

function countLines(text: Buffer): number {
  let lines = 0;
  for (let at = text.indexOf(LINE_FEED); at >= 0; at = text.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

/** The values of the last line as they are meant; keys are never null. */
function lastRow(text: Buffer): readonly string[] {
  const start = text.lastIndexOf(LINE_FEED, text.length - 2) + 1;
  return text
    .toString('utf8', start, text.length - 1)
    .split('\t')
    .map((value) => value.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter));
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
