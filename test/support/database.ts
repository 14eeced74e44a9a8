import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/storage/database.ts';
import './test-databases.ts';

const place = inject('testDatabase');
const cleanUps: (() => Promise<void>)[] = [];

if (place.kind === 'none') {
  console.warn(`SKIPPED, no database: ${place.reason}`);
  beforeEach((context) => context.skip(place.reason));
}

afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** False where the tests are skipped: what they need must not be made then. */
export const hasTestDatabase = place.kind !== 'none';

/** Also told where the tests are skipped for want of a database. */
export const testDatabaseKind = (): 'embedded' | 'postgres' => (place.kind === 'embedded' ? 'embedded' : 'postgres');

/** Where a fresh, empty database is, for tests that start a whole server; gone when the test file ends. */
export async function databaseOptions(): Promise<{ readonly url: string | null; readonly dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tcp-data-'));
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  if (place.kind === 'embedded') {
    await cp(place.template, dataDir, { recursive: true, filter: (source) => !/server\.(pid|lock)$/.test(source) });
    return { url: null, dataDir };
  }
  return { url: await freshDatabaseUrl(), dataDir };
}

/** Of an empty database on the native server, in which nobody has made a table yet; `own` goes behind CREATE DATABASE. */
export async function freshDatabaseUrl(own = ''): Promise<string> {
  const name = `tcp_test_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name} ${own}`);
  cleanUps.push(() => administer(`drop database if exists ${name} with (force)`));
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs one statement on the test server, outside the database under test. */
export async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  if (place.kind !== 'postgres') throw new Error('Only native Postgres has a server');
  return place.url;
}

/** Everything a database needs, pointing at a fresh one. */
export async function freshOptions(options: Partial<DatabaseOptions> = {}): Promise<DatabaseOptions> {
  return {
    ...(await databaseOptions()),
    poolSize: 4,
    maxOverflow: 4,
    poolTimeoutMs: 5_000,
    poolRecycleMs: 3_600_000,
    tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
    log: silentLog,
    clock: systemClock,
    ...options,
  };
}

/** A database of its own for every call; closed and dropped when the test file ends, earlier if the caller disposes it. */
export async function openTestDatabase(options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const db = await openDatabase(await freshOptions(options));
  cleanUps.push(async () => db[Symbol.asyncDispose]());
  return db;
}

/** One database for all tests of a file, opened before the first: opening the embedded one takes seconds. */
export function useTestDatabase(options: Partial<DatabaseOptions> = {}): () => Database {
  let db: Database | undefined;
  if (place.kind !== 'none')
    beforeAll(async () => {
      db = await openTestDatabase(options);
    });
  return () => {
    if (db === undefined) throw new Error('The database is opened before the first test');
    return db;
  };
}
