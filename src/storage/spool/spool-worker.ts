import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { openSpoolFile, readNotes } from './spool-file.ts';

/** What the thread is told at its start. */
export interface SpoolPlan {
  readonly file: string;
  /** Bytes the file may take. */
  readonly limitBytes: number;
}

/** One batch as it lies in the file. */
export interface SpooledRow {
  readonly number: number;
  readonly last: number;
  readonly at: number;
  readonly body: string;
}

export type SpoolCall =
  | { readonly do: 'append'; readonly rows: readonly SpooledRow[] }
  | { readonly do: 'read'; readonly after: number; readonly maxRows: number }
  | { readonly do: 'discard'; readonly through: number }
  | { readonly do: 'note'; readonly name: string; readonly value: string }
  | { readonly do: 'close' };

export interface SpoolAnswer {
  readonly id: number;
  readonly error?: { readonly code: 'FULL' | 'BROKEN'; readonly message: string };
  readonly rows?: readonly SpooledRow[];
  readonly bytes?: number;
  /** With the first message: what was noted before. */
  readonly notes?: Readonly<Record<string, string>>;
}

// SQLite waits for the disk, which is why it has a thread of its own.
const { file, limitBytes } = workerData as SpoolPlan;
const db = openSpoolFile(file);
const pageBytes = Number(db.prepare('pragma page_size').get()?.page_size);
db.exec(`pragma max_page_count = ${Math.max(64, Math.floor(limitBytes / pageBytes))}`);

const insert = db.prepare('insert or replace into batch (number, last, at, crc, body) values (?, ?, ?, ?, ?)');
const select = db.prepare('select number, last, at, crc, body from batch where number > ? order by number limit ?');
const remove = db.prepare('delete from batch where number <= ?');
const note = db.prepare('insert or replace into note (name, value) values (?, ?)');
const used = db.prepare(
  'select (select page_count from pragma_page_count) - (select freelist_count from pragma_freelist_count) as pages',
);

const bytes = () => Number(used.get()?.pages) * pageBytes;

function answer(call: SpoolCall): Omit<SpoolAnswer, 'id'> {
  switch (call.do) {
    case 'append':
      db.exec('begin immediate');
      for (const { number, last, at, body } of call.rows) insert.run(number, last, at, crc32(body), body);
      db.exec('commit');
      return { bytes: bytes() };
    case 'read':
      return { rows: select.all(call.after, call.maxRows).map(whole) };
    case 'discard':
      remove.run(call.through);
      return { bytes: bytes() };
    case 'note':
      note.run(call.name, call.value);
      return {};
    case 'close':
      db.close();
      return {};
    default:
      return call satisfies never;
  }
}

/** Of a batch that is not what was written only its place is left: its trades are missing then, which their ids tell. */
function whole({ number, last, at, crc, body }: Readonly<Record<string, unknown>>): SpooledRow {
  const isWhole = typeof body === 'string' && crc32(body) === crc;
  return { number: Number(number), last: Number(last), at: Number(at), body: isWhole ? body : '' };
}

/** 13 SQLITE_FULL: waiting may help. Anything else, above all a failed fsync, leaves open what is on the disk. */
function failure(error: unknown): NonNullable<SpoolAnswer['error']> {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  const message = error instanceof Error ? error.message : String(error);
  return { code: (code & 0xff) === 13 ? 'FULL' : 'BROKEN', message };
}

parentPort?.on('message', ({ id, call }: { readonly id: number; readonly call: SpoolCall }) => {
  try {
    parentPort?.postMessage({ id, ...answer(call) } satisfies SpoolAnswer);
  } catch (error) {
    if (db.isOpen && db.isTransaction) db.exec('rollback');
    parentPort?.postMessage({ id, error: failure(error) } satisfies SpoolAnswer);
  }
  if (call.do === 'close') process.exit(0);
});
parentPort?.postMessage({ id: 0, bytes: bytes(), notes: readNotes(db) } satisfies SpoolAnswer);
