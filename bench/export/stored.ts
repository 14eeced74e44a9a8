import { hash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Stretch } from '../../src/market/coverage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { upsertInstrument } from '../../src/storage/instruments.ts';
import { ensurePartitions } from '../../src/storage/partitions.ts';
import { candleColumns } from '../../src/storage/roll-up.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import type { Cluster } from '../../test/support/postgres-cluster.ts';
import { openCluster } from '../frame/postgres.ts';

export const [EXCHANGE, SYMBOL] = ['okx', 'BTC-USDT'];
/** Ten trades a second, over the end of a month. */
export const BEGIN = Date.UTC(2026, 8, 25);
export const STEP_MS = 100;
const FIRST_ID = 1_040_968_613;
const CHUNK_ROWS = 500_000;
const HOUR_S = 3_600;

const SCRATCH = fileURLToPath(new URL('../../.cache/bench/', import.meta.url));
const MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** A Postgres with so many trades of one market in the tables of the product. It is kept, as filling it takes minutes. */
export async function openStored(rows: number): Promise<Cluster & { readonly directory: string }> {
  const schema = hash('sha256', readdirSync(MIGRATIONS).toSorted().join()).slice(0, 8);
  const directory = join(SCRATCH, `trades-${rows}-${schema}`);
  const filled = join(directory, 'filled');
  if (!existsSync(filled)) rmSync(directory, { recursive: true, force: true });
  await using opening = new AsyncDisposableStack();
  const cluster = opening.adopt(await openCluster({ kept: directory }), (own) => own.stop());
  if (!existsSync(filled)) {
    console.log(`Filling ${directory} with ${rows.toLocaleString('en-US')} trades, once`);
    await fill(cluster.url, rows);
    writeFileSync(filled, '');
  }
  if (!warm.has(directory)) await readOnce(cluster.url);
  warm.add(directory);
  opening.move();
  return { ...cluster, directory };
}

const warm = new Set<string>();

/** The way everyone reads it, so that nobody is the first who waits for the disk. */
async function readOnce(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('set enable_seqscan = off; set enable_bitmapscan = off');
  await client.query('select count(price) from tcp_dashboard.trade where instrument_id = 1');
  await client.end();
}

async function fill(url: string, rows: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const db = stack.use(
    await openDatabase({
      ...{ url, dataDir: tmpdir(), poolSize: 4, maxOverflow: 0, poolTimeoutMs: 60_000, poolRecycleMs: 3_600_000 },
      tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
      ...{ log: silentLog, clock: systemClock },
    }),
  );
  const direct = new pg.Client({ connectionString: url });
  await direct.connect();
  stack.defer(() => direct.end());
  await fillTables(db, direct, rows);
}

async function fillTables(db: Database, direct: pg.Client, rows: number): Promise<void> {
  const end = BEGIN + rows * STEP_MS;
  await ensurePartitions(db, BEGIN, end);
  const instrumentId = await upsertInstrument(db, EXCHANGE, SYMBOL, 'market');
  await using writer = await openTradeWriter(db, systemClock, silentLog, { owner: 'bench', writer: null });
  const first = BigInt(writer.writer) << 48n;
  for (let k = 0; k < rows; k += CHUNK_ROWS)
    await direct.query({
      text: `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
        select $1::int8 + k + 1, ts, ts + (20 + k % 13) * interval '1 millisecond', ts + (45 + k % 13) * interval '1 millisecond', $2, 1 + (k % 7 = 0)::int,
          case when k % 3 = 0 then 's' else 'b' end::"char", 'l', (${FIRST_ID} + k)::text,
          round((64000 + 4000 * sin(k / 40000.0) + 30 * sin(k / 7.0))::numeric, 1), round((0.00001 + (k % 8999) * 0.00113)::numeric, 8)
        from (select k, 'epoch'::timestamptz + (${BEGIN} + k * ${STEP_MS} + (k * 7919) % 90) * interval '1 millisecond' as ts
          from generate_series($3::int8, $4::int8) k) s`,
      values: [String(first), instrumentId, k, Math.min(rows, k + CHUNK_ROWS) - 1],
    });
  await direct.query(
    `insert into tcp_dashboard.candle select instrument_id, ${HOUR_S}, date_bin('1 hour', ts, 'epoch') as opens, ${candleColumns}
      from tcp_dashboard.trade group by instrument_id, opens`,
  );
  const stretch: Stretch = {
    ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', cause: null, gap: null, gapFoundAt: null },
    ...{ first: BigInt(FIRST_ID), last: BigInt(FIRST_ID + rows - 1), from: BEGIN, to: end - 1, actual: rows },
  };
  const change = { exchange: EXCHANGE, symbol: SYMBOL, first: stretch.first, stretch };
  await writer.write({ trades: [], last: BigInt(rows), changes: [change] });
  await direct.query('vacuum analyze');
}
