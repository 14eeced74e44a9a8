import { sql } from 'drizzle-orm';
import { AppError } from '../../runtime/errors.ts';
import type { Connection, Handle } from '../connections.ts';
import type { TableNames } from '../database.ts';
import { reached } from '../database-errors.ts';
import { exclusively, knownMigrations, migrateUpTo } from '../migrate.ts';
import { makePartition } from '../partitions.ts';
import { partition, SCHEMA } from '../tables.ts';
import { makeViews } from '../views.ts';
import { isWrittenTo, retireWriters } from '../writer-slot.ts';
import { type StoredState, writeAlike } from './snapshot.ts';
import { type RowPage, readPages, writePage } from './table-rows.ts';
import { checkShape, type TableShape } from './table-shape.ts';

/** What the rows of a backup are put into, inside one transaction. */
export interface Refill {
  /** Returns how many rows it were. */
  write(table: TableShape, text: Buffer): Promise<number>;
  /** What is there now, as a snapshot would give it. */
  pages(table: TableShape): AsyncGenerator<RowPage>;
}

export interface RefillOptions {
  /** The state to come back to, as the backup names it. */
  readonly state: StoredState;
  /** What is there stays under another name; without it a database that holds something is refused. */
  readonly replace: boolean;
  readonly now: number;
  readonly takenAt: number;
  /** Names of the public views; null for a scratch database nobody looks at. */
  readonly tables: TableNames | null;
}

/**
 * Brings a database to a stored state, all or nothing: `fill` writes the rows and throws when they are not what they should be. What was there
 * before is kept as a schema of its own, whose name is returned; null when nothing was there.
 * @throws {AppError} RESTORE_REFUSED for a newer state than this program knows, a server at work, or present data nobody said to replace.
 */
export async function refill(
  connection: Connection,
  options: RefillOptions,
  fill: (into: Refill) => Promise<void>,
): Promise<string | null> {
  const { state, now, takenAt, tables } = options;
  await checkKnown(state);
  for (const table of state.tables) checkShape(table);
  return exclusively(connection, () =>
    reached(() =>
      connection.handle.transaction(async (tx) => {
        const kept = await setAside(connection, options);
        await migrateUpTo(tx, state.migrations);
        await writeAlike(connection);
        await fill({
          write: async (table, text) => {
            const rows = await writePage(connection, table, text);
            if (table.name === 'partition') await makePartitions(tx);
            return rows;
          },
          pages: (table) => readPages(connection, table),
        });
        await setSequences(connection, state);
        if (tables !== null) {
          await migrateUpTo(tx, await knownMigrations()); // of an older version
          await retireWriters(connection, now, takenAt);
          await makeViews(tx, tables);
        }
        return kept;
      }),
    ),
  );
}

async function checkKnown({ migrations }: StoredState): Promise<void> {
  const known = await knownMigrations();
  const strange = migrations.find((name) => !known.includes(name));
  if (strange === undefined && migrations.length > 0) return;
  throw new AppError(
    'RESTORE_REFUSED',
    `The backup's tables are of a newer version (${strange ?? 'unknown'}) than this program knows (${known.at(-1)}): restore it with the program that made it, or a later one`,
  );
}

/** Moves what is there out of the way; the transaction moves it back unless all goes well. */
async function setAside(connection: Connection, { replace, now }: RefillOptions): Promise<string | null> {
  if (await isWrittenTo(connection))
    throw new AppError('RESTORE_REFUSED', 'A server is recording into this database: stop it, then restore');
  const [found] = await connection.query({ text: 'select from pg_namespace where nspname = $1', values: [SCHEMA] });
  if (found === undefined) return null;
  if (!replace)
    throw new AppError(
      'RESTORE_REFUSED',
      `The database holds data of ours already (schema ${SCHEMA}): name an empty one, or keep it aside under another name with --replace`,
    );
  const kept = `${SCHEMA}_until_${new Date(now).toISOString().slice(0, 19).replace(/\D/g, '')}`;
  await connection.query({ text: `alter schema ${SCHEMA} rename to ${kept}` });
  return kept;
}

async function makePartitions(tx: Handle): Promise<void> {
  const made = await tx.execute<{ name: string }>(
    sql`select relname as name from pg_class where relnamespace = 'tcp_dashboard'::regnamespace and relispartition`,
    'objects',
  );
  const names = new Set(made.map(({ name }) => name));
  for (const one of await tx.select().from(partition)) if (!names.has(one.name)) await makePartition(tx, one);
}

async function setSequences(connection: Connection, { sequences }: StoredState): Promise<void> {
  for (const [name, last] of Object.entries(sequences))
    await connection.query({ text: 'select setval($1::regclass, $2)', values: [`${SCHEMA}."${name}"`, last] });
}
