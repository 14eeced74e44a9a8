import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, it, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { readParquet, shortest } from '../export/parquet-reading.ts';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { startExport } from '../support/export-command.ts';
import { configOf, readDirectly, startServerProcess } from '../support/whole-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcp-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface StoredRow {
  readonly trade_id: string;
  readonly price: string;
  readonly size: string;
  readonly at: string;
}

const iso = (ms: number) => new Date(ms).toISOString();
const cells = (line: string) => line.split(',');

it('a running server gives files that hold what it stores, and manifests that say so', async () => {
  await using simulator = await startSimulator({ exchange: 'okx', symbols: ['BTC-USDT'], rate: 100 });
  const place = await databaseOptions();
  await using server = await startServerProcess(
    configOf([{ simulator, pairs: [{ symbol: 'BTC-USDT', data_types: ['trade'] }] }]),
    place,
  );
  const begun = Date.now();
  await server.running(1);
  await vi.waitFor(async () => {
    const { trades } = await server.ask<{ trades: { edges: unknown[] } }>(
      '{ trades(exchange: "okx", symbol: "BTC-USDT", first: 300) { edges { cursor } } }',
    );
    expect(trades.edges.length).toBe(300);
  }, 30_000);
  const [from, to] = [iso(begun), iso(Date.now() - 500)];
  const market = ['--exchange', 'okx', '--symbol', 'BTC-USDT', '--from', from, '--to', to, '--url', server.url];
  for (const format of ['csv', 'ndjson', 'parquet']) {
    const { code, output } = await startExport(folder, [
      ...market,
      '--type',
      'trades',
      '--format',
      format,
      '--out',
      `trades.${format}`,
    ]).exit;
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(new RegExp(`trades\\.${format}: [\\d,]+ rows, .*Coverage: .*proven`, 's')),
    ]);
  }
  const candles = await startExport(folder, [...market, '--type', 'candles', '--interval', '1s', '--format', 'csv'])
    .exit;
  expect(candles.code).toBe(0);
  expect(await server.end('SIGTERM')).toBe(0);

  const all = await readDirectly<StoredRow>(
    place,
    `select trade_id, price::text, size::text, to_char(ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
      from tcp_dashboard.trade order by ts, trade_id::numeric`,
  );
  const rows = all.filter(({ at }) => at >= from && at < to);
  expect(rows.length).toBeGreaterThan(200);
  const plain = rows.map(({ at, trade_id: id, price, size }) => [at, id, price, size]);
  const read = (name: string) => readFileSync(join(folder, name));
  const csv = read('trades.csv').toString().trimEnd().split('\r\n').slice(1).map(cells);
  expect(csv.map(([at, price, size, , , , , , , , id]) => [at, id, price, size])).toEqual(plain);
  const json = read('trades.ndjson')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  expect(json.map((row) => [row.exchange_time, row.trade_id, row.price, row.size])).toEqual(plain);
  const parquet = await readParquet(read('trades.parquet'));
  expect(parquet.map((row) => [row.exchange_time, row.trade_id, row.price, row.size])).toEqual(
    plain.map(([at, id, price = '', size = '']) => [at, id, shortest(price), shortest(size)]),
  );
  for (const format of ['csv', 'ndjson', 'parquet']) {
    const manifest = JSON.parse(read(`trades.${format}.manifest.json`).toString()) as Record<string, unknown>;
    expect(manifest).toMatchObject({ rows: rows.length, bytes: statSync(join(folder, `trades.${format}`)).size });
    expect(manifest.coverage).toMatchObject({
      intervals: expect.arrayContaining([expect.objectContaining({ status: 'PROVEN' })]),
    });
  }
  const [name = ''] = readdirSync(folder).filter((one) => /^okx_BTC-USDT_candles_1s_.*\.csv$/.test(one));
  const volumes = read(name).toString().trimEnd().split('\r\n').slice(1).map(cells);
  const counted = volumes.reduce((sum, row) => sum + Number(row[10]), 0);
  // The first candle begins before the range.
  const inside = all.filter(({ at }) => at >= (volumes[0]?.[1] ?? '') && at < (volumes.at(-1)?.[0] ?? ''));
  expect(counted).toBe(inside.length);
}, 120_000);

/** The server's memory now, MB. */
const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

const MANY = 200_000;

it.runIf(testDatabaseKind() === 'postgres' && process.platform === 'linux')(
  'a long file costs constant memory, and nothing stays of it when the server dies or the command is interrupted',
  async () => {
    const place = await databaseOptions();
    await using server = await startServerProcess(configOf([]), place);
    const client = new pg.Client({ connectionString: place.url ?? '' });
    await client.connect();
    await client.query(
      `insert into tcp_dashboard.instrument (exchange, symbol, kind) values ('okx', 'BTC-USDT', 'market')`,
    );
    await client.query('insert into tcp_dashboard.writer (id, epoch, position, claimed_at) values (9, 1, $1, now())', [
      MANY,
    ]);
    await client.query(
      `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
        select (9::int8 << 48) + g, t, t, t, 1, 1, 'b', 'l', g::text, 60000.5 + g, 0.00000001 * g
        from generate_series(1, $1) g, lateral (select date_trunc('month', now()) + g * interval '1 millisecond' as t) l`,
      [MANY],
    );
    await client.end();
    const from = `${new Date().toISOString().slice(0, 7)}-01`;
    const run = (format: string) =>
      startExport(folder, [
        '--exchange',
        'okx',
        '--symbol',
        'BTC-USDT',
        '--type',
        'trades',
        '--from',
        from,
        '--format',
        format,
        '--out',
        `long.${format}`,
        '--url',
        server.url,
      ]);
    const pid = server.process.pid ?? 0;
    for (const format of ['ndjson', 'parquet']) {
      const before = memoryOf(pid);
      let most = before;
      const watch = setInterval(() => {
        most = Math.max(most, memoryOf(pid));
      }, 50);
      const { code, output } = await run(format).exit;
      clearInterval(watch);
      expect([code, output]).toEqual([0, expect.stringContaining('200,000 rows')]);
      // Half of it is what a heap takes before it is cleaned.
      expect([format, most - before < 250]).toEqual([format, true]);
      rmSync(join(folder, `long.${format}`));
      rmSync(join(folder, `long.${format}.manifest.json`));
    }
    const longs = () => readdirSync(folder).filter((name) => name.startsWith('long'));
    const underWay = () =>
      vi.waitFor(() => expect(statSync(join(folder, 'long.ndjson.part')).size).toBeGreaterThan(100_000), {
        timeout: 20_000,
        interval: 5,
      });
    const interrupted = run('ndjson');
    await underWay();
    interrupted.process.kill('SIGINT');
    expect(await interrupted.exit).toMatchObject({ code: 130, output: expect.stringContaining('nothing was kept') });
    expect(longs()).toEqual([]);
    const orphan = run('ndjson');
    await underWay();
    await server.end('SIGKILL');
    expect(await orphan.exit).toMatchObject({ code: 1, output: expect.stringContaining('the transfer broke off') });
    expect(longs()).toEqual([]);
  },
  180_000,
);
