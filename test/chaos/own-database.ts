import pg from 'pg';
import type { Cluster } from '../support/postgres-cluster.ts';

/** The address of a new, empty database of this name. */
export async function freshDatabaseOf({ url }: Cluster, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const database = new URL(url);
  database.pathname = `/${name}`;
  return database.href;
}
