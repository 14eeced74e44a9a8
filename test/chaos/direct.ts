import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

/** Where a server under test keeps everything. */
export interface Place {
  /** null for the embedded database. */
  readonly url: string | null;
  /** The server's own data directory is `data` in it. */
  readonly dataDir: string;
}

/** A database without anything of ours in between. */
export interface Direct extends AsyncDisposable {
  query<T>(statement: string, parameters?: readonly unknown[]): Promise<readonly T[]>;
}

/** The embedded database has one user: read it directly only after its server has ended. */
export async function connectDirectly({ url, dataDir }: Place): Promise<Direct> {
  if (url === null) {
    const database = await PGlite.create(join(dataDir, 'data', 'postgres'));
    return {
      query: async <T>(statement: string, parameters: readonly unknown[] = []) =>
        (await database.query<T>(statement, [...parameters])).rows,
      [Symbol.asyncDispose]: () => database.close(),
    };
  }
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {}); // the next query says so
  await client.connect();
  return {
    query: async <T>(statement: string, parameters: readonly unknown[] = []) =>
      (await client.query(statement, [...parameters])).rows as T[],
    [Symbol.asyncDispose]: () => client.end(),
  };
}
