import type { Connection } from '../connections.ts';
import { countRows, type RowPage, readPages } from './table-rows.ts';
import { listTables, type TableShape } from './table-shape.ts';

/** What a database holds at one moment, but for the rows. */
export interface StoredState {
  /** Names of the migrations it has had. */
  readonly migrations: readonly string[];
  /** Up to which sequence it holds the trades of each writer: what was recorded later waits in a spool, and is not in it. */
  readonly positions: Readonly<Record<string, string>>;
  /** The last number of each sequence of ids. */
  readonly sequences: Readonly<Record<string, string>>;
  readonly newestTrade: string | null;
  readonly tables: readonly StoredTable[];
}

export interface StoredTable extends TableShape {
  readonly rows: number;
}

export interface Snapshot {
  readonly state: StoredState;
  pages(table: TableShape): AsyncGenerator<RowPage>;
}

/** Gives `work` everything a database holds as it is now; whoever writes goes on meanwhile. */
export async function withSnapshot<T>(connection: Connection, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const tables = await listTables(connection);
  await connection.query({ text: 'begin isolation level repeatable read read only' });
  try {
    await writeAlike(connection);
    // Before the snapshot, or retention might drop a partition of it. Locking takes none yet.
    if (tables.length > 0)
      await connection.query({
        text: `lock table ${tables.map(({ name }) => `tcp_dashboard.${name}`).join(', ')} in access share mode`,
      });
    const stored: StoredTable[] = [];
    for (const table of tables) stored.push({ ...table, rows: await countRows(connection, table) });
    const state = { ...(await readState(connection, tables)), tables: stored };
    return await work({ state, pages: (table) => readPages(connection, table) });
  } finally {
    if (!connection.lost) await connection.query({ text: 'rollback' });
  }
}

/** Until the end of the transaction values are written the same way in every database. */
export const writeAlike = async (connection: Connection): Promise<void> => {
  for (const setting of ["timezone = 'UTC'", "datestyle = 'ISO, YMD'", "intervalstyle = 'iso_8601'"])
    await connection.query({ text: `set local ${setting}` });
};

async function readState(connection: Connection, tables: readonly TableShape[]): Promise<Omit<StoredState, 'tables'>> {
  const has = (name: string) => tables.some((table) => table.name === name);
  const read = async (text: string) => connection.query<{ name: string; value: string }>({ text });
  const migrations = has('writer')
    ? await read('select name, name as value from tcp_dashboard.__drizzle_migrations order by name')
    : [];
  const positions = has('writer')
    ? await read('select id as name, position as value from tcp_dashboard.writer order by id')
    : [];
  const sequences = await read(
    `select sequencename as name, last_value as value from pg_sequences
      where schemaname = 'tcp_dashboard' and last_value is not null and sequencename !~ '^__' order by sequencename`,
  );
  const [newest] = has('trade')
    ? await read(
        `select 'trade' as name, to_char(max(ts), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as value from tcp_dashboard.trade`,
      )
    : [];
  return {
    migrations: migrations.map(({ name }) => name),
    positions: byName(positions),
    sequences: byName(sequences),
    newestTrade: newest?.value ?? null,
  };
}

const byName = (rows: readonly { readonly name: string | number; readonly value: string }[]) =>
  Object.fromEntries(rows.map(({ name, value }) => [String(name), value]));
