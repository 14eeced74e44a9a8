/** A Postgres of its own with what is read, in the product's real schema; kept between runs, as filling it takes minutes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openDatabase } from '../../src/storage/database.ts';
import type { Cluster } from '../../test/support/postgres-cluster.ts';
import { openCluster } from '../frame/postgres.ts';
import { fillCandles } from './fill-candles.ts';
import { fillTrades } from './fill-trades.ts';

const ROOT = new URL('../../', import.meta.url);
/** Filled databases are good for as long as the schema is the same. */
const SCHEMA_VERSION = readdirSync(new URL('drizzle', ROOT)).toSorted().at(-1) ?? 'none';
const KEPT = fileURLToPath(new URL(`.cache/bench/history-${SCHEMA_VERSION}`, ROOT));
const PID_FILE = `${KEPT}/data/postmaster.pid`;
/** Of the kernel's clock, by which /proc counts: 100 a second wherever Linux runs. */
const TICKS = 100;

/** `rows` trades of 100 markets, spread over so many months where that is said, or `days` days of the candles of one. */
export type Content = { readonly rows: number; readonly months?: number } | { readonly days: number };

/** Between two trades where nothing is said of months, ms: 20 million of them in 120 days. */
const STEP_MS = 518.4;
const MONTH_MS = 30.4 * 86_400_000;

let cluster: Promise<Cluster> | null = null;

async function start(): Promise<Cluster> {
  await endLeftOver();
  return openCluster({ kept: KEPT });
}

/** The server of a run that was cut off still holds the directory. */
async function endLeftOver(): Promise<void> {
  if (!existsSync(PID_FILE)) return;
  const [pid = ''] = readFileSync(PID_FILE, 'utf8').split('\n');
  if (!existsSync(`/proc/${pid}`)) return;
  process.kill(Number(pid), 'SIGINT');
  while (existsSync(PID_FILE)) await setTimeout(100);
}

/** Where what is wanted is, filled when it is not there yet. The server runs until `stopDatabase`. */
export async function databaseOf(content: Content): Promise<string> {
  cluster ??= start();
  const { url } = await cluster;
  const name = nameOf(content);
  const address = (database: string) => url.replace(/postgres$/, database);
  await withClient(url, async (admin) => {
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 1) return;
    console.log(`filling ${name}, once for this schema`);
    const [filling, startedAt] = [`${name}_filling`, performance.now()];
    await admin.query(`drop database if exists ${filling} with (force)`);
    await admin.query(`create database ${filling}`);
    await fill(address(filling), content);
    await admin.query(`alter database ${filling} rename to ${name}`);
    console.log(`filled ${name} in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  });
  return address(name);
}

function nameOf(content: Content): string {
  if ('days' in content) return `candles_${content.days}`;
  const { rows, months } = content;
  return months === undefined ? `trades_${rows}` : `trades_${rows}_of_${months}_months`;
}

export async function stopDatabase(): Promise<void> {
  await (await cluster)?.stop();
  cluster = null;
}

/** What all processes of the server have used so far. */
export function databaseCpuSeconds(): number {
  const [pid = ''] = readFileSync(PID_FILE, 'utf8').split('\n');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const own = ticksOf(pid);
  return (own.slice(0, 4).reduce(sum) + children.flatMap((child) => ticksOf(child).slice(0, 2)).reduce(sum, 0)) / TICKS;
}

const sum = (a: number, b: number) => a + b;

/** User and system time of a process, then of its children that are gone; nothing when it is gone itself. */
function ticksOf(pid: string): readonly number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number);
  } catch {
    return [0, 0];
  }
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function fill(url: string, content: Content): Promise<void> {
  await using db = await openDatabase({
    ...{ url, dataDir: tmpdir(), poolSize: 4, maxOverflow: 0, poolTimeoutMs: 60_000, poolRecycleMs: 3_600_000 },
    tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
    ...{ log: silentLog, clock: systemClock },
  });
  await withClient(url, async (client) => {
    if ('days' in content) await fillCandles(db, client, content.days);
    else await fillTrades(db, client, { rows: content.rows, step: stepOf(content) });
    await client.query('vacuum analyze');
  });
}

const stepOf = ({ rows, months }: { readonly rows: number; readonly months?: number }): number =>
  months === undefined ? STEP_MS : (months * MONTH_MS) / rows;
