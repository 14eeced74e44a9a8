import { readFileSync } from 'node:fs';
import pg from 'pg';
import { upsertInstrument } from '../../src/storage/instruments.ts';
import { ensurePartitions } from '../../src/storage/partitions.ts';
import type { Bench, Contender, Figures, Goal, Metric, Row, Turn } from '../frame/bench.ts';
import { openCluster } from '../frame/postgres.ts';
import { Subject } from '../frame/subject.ts';
import { openTables, SPECIFIED } from './database.ts';
import { START, type Stored, type StorePlan, symbolOf } from './trades.ts';

const METRICS: readonly Metric[] = [
  { name: 'rows a second', unit: '', better: 'more' },
  { name: 'CPU of the client, µs a row', unit: '', better: 'less' },
  { name: 'CPU of Postgres, µs a row', unit: '', better: 'less' },
  { name: 'bytes a row, with indexes', unit: '', better: 'less' },
  { name: 'of them indexes', unit: '', better: 'less' },
  { name: 'bytes of candles a row', unit: '', better: 'less' },
];
const SECONDARY = ['trade_id', 'trade_ts', 'trade_instrument_ts'];
const KEY = 'select indexrelid::regclass::text as name from pg_index join pg_inherits on inhrelid = indrelid';

interface Size extends Omit<StorePlan, 'url'> {
  /** In the table before. */
  readonly filled: number;
}

/** Which tables and which indexes it stores into. */
type Into = 'product' | 'product, key only' | 'product, no index' | 'specification';

/** A Postgres of its own as it is delivered, which flushes what it commits; then all trades, to the last commit. */
const contender = (
  { name, role, file, into }: { name: string; role: Contender['role']; file: string; into: Into },
  size: Size,
): Contender => ({
  ...{ name, role },
  async run(turn: Turn): Promise<Figures> {
    const cluster = await openCluster({ durable: true });
    const client = new pg.Client(cluster.url);
    try {
      await client.connect();
      await prepare(client, cluster.url, into, size);
      await using subject = new Subject(new URL(file, import.meta.url), ['--expose-gc']);
      await subject.ask('open', { url: cluster.url, ...size } satisfies StorePlan & Size);
      const before = cpuSecondsOf(await processesOf(client));
      const { cpuSeconds, wallSeconds } = await subject.profiled(turn, () => subject.ask<Stored>('store'));
      const after = cpuSecondsOf(await processesOf(client));
      return {
        'rows a second': size.rows / wallSeconds,
        'CPU of the client, µs a row': (cpuSeconds / size.rows) * 1e6,
        'CPU of Postgres, µs a row': ((after - before) / size.rows) * 1e6,
        ...(await sizesOf(client, into, size)),
      };
    } finally {
      await client.end();
      await cluster.stop();
    }
  },
});

async function prepare(
  client: pg.Client,
  url: string,
  into: Into,
  { instruments, warmUp, rows, filled }: Size,
): Promise<void> {
  if (into === 'specification') {
    await client.query(SPECIFIED);
    return;
  }
  await using db = await openTables(url);
  await ensurePartitions(db, START - filled, START + warmUp + rows);
  for (let k = 0; k < instruments; k += 1) await upsertInstrument(db, 'okx', symbolOf(k), 'market');
  if (into !== 'product') for (const name of SECONDARY) await client.query(`drop index tcp_dashboard.${name}`);
  if (into === 'product, no index') {
    const { rows: keys } = await client.query<{ name: string }>(
      `${KEY} where inhparent = 'tcp_dashboard.trade'::regclass`,
    );
    for (const { name } of keys) await client.query(`drop index ${name}`);
  }
  if (filled === 0) return;
  await client.query(
    `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
      select (1::int8 << 48) + k, ts, ts, ts, 1 + k % ${instruments}, 1, 's', 'l', (900000000 + k)::text, 64040 + k % 997 / 10.0, 0.00001 + k % 8999 / 1e5
      from (select k, '${new Date(START - filled).toISOString()}'::timestamptz + k * interval '1 ms' as ts
        from generate_series(0, ${filled - 1}) k) made`,
  );
  await client.query('checkpoint');
}

const PROCESSES = 'select pid from pg_stat_activity where pid <> pg_backend_pid()';

async function processesOf(client: pg.Client): Promise<readonly number[]> {
  const { rows } = await client.query<{ pid: number }>(PROCESSES);
  return rows.map(({ pid }) => pid);
}

/** Used by these processes so far, in hundredths as Linux counts; nothing of one that is gone. */
const cpuSecondsOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return sum + (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return sum;
    }
  }, 0);

async function sizesOf(client: pg.Client, into: Into, { warmUp, rows, filled }: Size): Promise<Figures> {
  const parts = (table: string) => `select inhrelid as part from pg_inherits where inhparent = '${table}'::regclass`;
  const trades = into === 'specification' ? `select 'literal_trades'::regclass as part` : parts('tcp_dashboard.trade');
  const found = await client.query<{ bytes: string; indexes: string }>(
    `select sum(pg_total_relation_size(part)) as bytes, sum(pg_indexes_size(part)) as indexes from (${trades}) t`,
  );
  const all = warmUp + rows + filled;
  const figures = {
    'bytes a row, with indexes': Number(found.rows[0]?.bytes) / all,
    'of them indexes': Number(found.rows[0]?.indexes) / all,
  };
  if (into !== 'product') return figures;
  const candles = await client.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(part)) as bytes from (${parts('tcp_dashboard.candle')}) c`,
  );
  return { ...figures, 'bytes of candles a row': Number(candles.rows[0]?.bytes) / (warmUp + rows) };
}

const OURS = {
  name: 'all keys and indexes, candles, ledger',
  role: 'ours',
  file: './ours.ts',
  into: 'product',
} as const;
const LIMIT = { name: 'COPY, only the key', role: 'limit', file: './copy.ts', into: 'product, key only' } as const;
const PEERS = [
  { name: 'COPY, no index', role: 'peer', file: './copy.ts', into: 'product, no index' },
  { name: 'COPY, all indexes', role: 'peer', file: './copy.ts', into: 'product' },
  { name: 'Drizzle into the specified table', role: 'peer', file: './drizzle.ts', into: 'specification' },
  { name: 'COPY into the specified table', role: 'peer', file: './literal-copy.ts', into: 'specification' },
] as const;

const GOALS: readonly Goal[] = [
  { metric: 'rows a second', against: 'limit', atLeast: 0.7 },
  { metric: 'rows a second', against: 'Drizzle into the specified table', atLeast: 8 },
  { metric: 'bytes a row, with indexes', atMost: 200 },
];

const inWords = (count: number) => count.toLocaleString('en-US');

const rowOf = (size: Size, rounds: number): Row => ({
  what: `${inWords(size.instruments)} ${size.instruments === 1 ? 'market' : 'markets'}`,
  work: `${inWords(size.rows)} trades into empty tables, from memory to the last commit, after ${inWords(size.warmUp)} to warm up`,
  ...{ metrics: METRICS, rounds, boundSeconds: 120, goals: GOALS },
  contenders: [LIMIT, OURS, ...PEERS].map((one) => contender(one, size)),
});

const grownTo = (size: Size, rounds: number): Row => ({
  what: `${inWords(size.filled)} rows are there`,
  work: `${inWords(size.rows)} trades of ${size.instruments} markets into a month that holds ${inWords(size.filled)}`,
  ...{ metrics: METRICS, rounds, boundSeconds: 60, goals: [GOALS[0]].flatMap((goal) => goal ?? []) },
  contenders: [LIMIT, OURS].map((one) => contender(one, size)),
  growth: { by: 'rows', size: size.filled },
});

export const store: Bench = {
  name: 'store',
  title:
    'Trades into Postgres, which flushes every commit. Ours has a unique key, three more indexes, candles of three lengths, the ledger and its position, commits 8,000 trades at a time and leaves out what is there already. COPY is one statement and one commit, refuses a repeat as a whole, and keeps nothing else; the limit has the unique key alone. Drizzle commits 1,000 rows at a time.',
  rows: (size) =>
    size === 'tiny'
      ? [
          rowOf({ instruments: 3, warmUp: 2_000, rows: 9_000, filled: 0 }, 1),
          grownTo({ instruments: 3, warmUp: 2_000, rows: 9_000, filled: 5_000 }, 1),
        ]
      : [
          ...[1, 100].map((instruments) => rowOf({ instruments, warmUp: 20_000, rows: 100_000, filled: 0 }, 2)),
          ...[200_000, 600_000, 1_800_000].map((filled) =>
            grownTo({ instruments: 10, warmUp: 20_000, rows: 100_000, filled }, 1),
          ),
        ],
};
