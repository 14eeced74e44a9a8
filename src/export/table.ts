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

const ABSENT = '\\N';

export const toPage = (rows: readonly Row[]): Page => ({
  text: rows.map((row) => row.map((cell) => cell ?? ABSENT).join('\t')).join('\n'),
  count: rows.length,
});

/** A table that is made while it is read. */
export interface Table {
  readonly columns: readonly Column[];
  readonly pages: AsyncIterable<Page>;
}

/** Turns rows into the bytes of a file; the parts in the order of the calls are the file. */
export interface Encoder {
  begin(): Uint8Array | null;
  /** @throws {AppError} DATA_POINT_INVALID when a cell holds what separates cells. */
  page(page: Page): Uint8Array | null;
  end(): Uint8Array | null;
}

export const column = (kind: Kind, name: string, nullable = false): Column => ({ name, kind, nullable });
