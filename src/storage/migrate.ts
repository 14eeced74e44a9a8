import { fileURLToPath } from 'node:url';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import type { Connection } from './connections.ts';
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
