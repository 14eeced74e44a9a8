import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { BackupKeys } from '../../src/backup/keys.ts';
import type { OnProgress } from '../../src/backup/take-backup.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { Place } from '../../src/storage/backup/places.ts';
import type { Connection } from '../../src/storage/connections.ts';
import { type databaseOptions, freshDatabaseUrl, testDatabaseKind } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';

export const TABLES = { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' };

/** What reading and writing a backup is told besides its place. */
export const asked = (keys: BackupKeys, onProgress: OnProgress = () => {}) => ({
  keys,
  onProgress,
  interrupted: new AbortController().signal,
});

export const placeOf = ({ url, dataDir }: Awaited<ReturnType<typeof databaseOptions>>): Place => ({
  ...{ url, dataDir, clock: systemClock, log: silentLog },
});

/** Where nothing is yet, of the kind the tests run on. */
export async function emptyPlace(): Promise<Place> {
  const url = testDatabaseKind() === 'embedded' ? null : await freshDatabaseUrl();
  return placeOf({ url, dataDir: join(temporary(), 'data') });
}

/** Every row of every table as one text each, by plain SQL that shares nothing with the code of the backup. */
export async function everything(connection: Pick<Connection, 'query'>, schema = 'tcp_dashboard') {
  const tables = await connection.query<{ name: string }>({
    text: `select table_name as name from information_schema.tables
      where table_schema = $1 and table_type = 'BASE TABLE' and table_name !~ '_\\d{4}_\\d\\d$' and table_name !~ '^__' order by 1`,
    values: [schema],
  });
  const all: Record<string, readonly string[]> = {};
  for (const { name } of tables) {
    const rows = await connection.query<{ row: string }>({
      text: `select to_jsonb(t)::text as row from ${schema}.${name} t`,
    });
    all[name] = rows.map(({ row }) => row).sort();
  }
  return all;
}

/** Changes with any change of what a place holds; nobody may have it open. */
export async function fingerprint({ url, dataDir }: Place): Promise<string> {
  const hash = createHash('sha256');
  if (url === null)
    for (const path of readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).sort()) {
      const file = join(dataDir, path);
      if (path.startsWith('backup-scratch') || path.startsWith('server.')) continue;
      hash.update(path).update(statSync(file).isFile() ? readFileSync(file) : '');
    }
  else {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('select nspname from pg_namespace order by 1');
    hash.update(JSON.stringify(rows));
    const query = async <T>({ text, values }: pg.QueryConfig) => (await client.query(text, values)).rows as T[];
    hash.update(JSON.stringify(await everything({ query })));
    await client.end();
  }
  return hash.digest('hex');
}
