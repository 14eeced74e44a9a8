import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import type { Connection, Handle } from './connections.ts';
import { reached } from './database-errors.ts';
import { SCHEMA } from './tables.ts';

/** Any number no other program is likely to lock: "tcpd" in ASCII. */
export const LOCK_SPACE = 0x74637064;
/** Second half of the lock's key; writer slots use the numbers from 0 up. */
const SETUP_LOCK = -1;

const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Runs `work` while no other server sets up the same database. The lock ends with the connection at the latest. */
export async function exclusively<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query({ text: 'select pg_advisory_lock($1, $2)', values: [LOCK_SPACE, SETUP_LOCK] });
  try {
    return await work();
  } finally {
    if (!connection.lost)
      await connection.query({ text: 'select pg_advisory_unlock($1, $2)', values: [LOCK_SPACE, SETUP_LOCK] });
  }
}

/** Brings the tables up to date. Repeating changes nothing; call it under `exclusively`. */
export function migrateTables(connection: Connection): Promise<void> {
  return reached(async () => {
    await migrate(connection.handle, { migrationsFolder: FOLDER, migrationsSchema: SCHEMA });
  });
}

/** The migrations this program knows, oldest first. */
export const knownMigrations = async (): Promise<readonly string[]> =>
  (await readdir(FOLDER, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** Makes the tables as they were after some of the migrations; part of a transaction. */
export async function migrateUpTo(tx: Handle, migrations: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tcp-migrations-'));
  try {
    for (const name of migrations) await cp(join(FOLDER, name), join(folder, name), { recursive: true });
    await migrate(tx, { migrationsFolder: folder, migrationsSchema: SCHEMA });
  } finally {
    await rm(folder, { recursive: true });
  }
}
