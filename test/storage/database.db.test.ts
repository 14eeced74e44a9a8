import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import {
  loadCollectors,
  removeCollector,
  type StoredCollector,
  saveCollectors,
} from '../../src/storage/collector-status.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { isAway } from '../../src/storage/database-errors.ts';
import { findInstrument, listInstruments, upsertInstrument } from '../../src/storage/instruments.ts';
import { freshOptions, testDatabaseKind, useTestDatabase } from '../support/database.ts';
import { scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();

const columnsOf = (name: string) =>
  db().readers.run((handle) =>
    handle.execute<{ column: string; type: string }>(
      sql`select column_name || ' ' || data_type as "column" from information_schema.columns
        where table_schema = 'public' and table_name = ${name} order by ordinal_position`,
      'objects',
    ),
  );

describe('the public relations', () => {
  it.each([
    [
      'raw_trades',
      'id bigint, exchange text, symbol text, trade_id text, price numeric, size numeric, side text, timestamp timestamp with time zone, raw_data jsonb, created_at timestamp with time zone',
    ],
    [
      'market_data',
      'id bigint, exchange text, symbol text, data_type text, timestamp timestamp with time zone, data jsonb, created_at timestamp with time zone',
    ],
    [
      'collector_status',
      'collector text, exchange text, symbol text, status text, should_be_running boolean, health jsonb, statistics jsonb, updated_at timestamp with time zone',
    ],
  ])('%s has exactly the promised columns', async (name, columns) => {
    expect((await columnsOf(name)).map(({ column }) => column).join(', ')).toBe(columns);
  });

  it('show a trade in words', async () => {
    const { symbol, trade } = scene();
    await using writer = await openTestWriter(db());
    const [recorded] = await writer.write([toRecord(trade(4))]);
    const rows = await db().readers.run((handle) =>
      handle.execute(
        sql`select id, trade_id, price, size, side, raw_data, exchange, "timestamp" = ${new Date(trade(4).exchangeTime).toISOString()} as in_time from raw_trades where symbol = ${symbol}`,
        'objects',
      ),
    );
    expect(rows).toEqual([
      {
        id: String(recorded?.sequence),
        trade_id: '4',
        price: '54.10',
        size: '0.001',
        side: 'buy',
        raw_data: trade(4).raw,
        exchange: 'okx',
        in_time: true,
      },
    ]);
  });

  it('can have other names, and several servers of one database each their own', async () => {
    const options = await freshOptions({
      tables: { rawTrades: 'my_trades', marketData: 'my_data', collectorStatus: 'my_collectors' },
    });
    await using renamed = await openDatabase(options);
    const rows = await renamed.readers.run((handle) =>
      handle.execute(sql`select count(*)::int as n from my_trades, my_data, my_collectors`, 'objects'),
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it.each([
    ['a reserved word', 'select'],
    ['upper case', 'Trades'],
    ['a quote', 'a"b'],
    ['nothing', ''],
    ['a system prefix', 'pg_trades'],
    ['the name of another', 'market_data'],
    ['64 characters', 'x'.repeat(64)],
  ])('refuse %s as a name, naming the setting', async (_what, rawTrades) => {
    const options = await freshOptions({
      tables: { rawTrades, marketData: 'market_data', collectorStatus: 'collector_status' },
    });
    await expect(openDatabase(options)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('tables.'),
    });
  });

  it('refuse a name that is taken by something else, and leave that alone', async () => {
    const options = await freshOptions();
    {
      await using first = await openDatabase(options);
      await first.writers.run((handle) => handle.execute(sql`create table precious (x int)`));
    }
    const taken = { ...options, tables: { ...options.tables, rawTrades: 'precious' } };
    await expect(openDatabase(taken)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"precious"'),
    });
    await using again = await openDatabase(options);
    expect(await again.readers.run((handle) => handle.execute(sql`select * from precious`, 'objects'))).toEqual([]);
  });
});

describe('opening', () => {
  it('says what is there and answers', async () => {
    expect(db().kind).toBe(testDatabaseKind());
    expect(Number.parseInt(db().serverVersion, 10)).toBeGreaterThanOrEqual(15);
    await db().ping();
  });

  it('by several servers at once migrates once', async (context) => {
    if (testDatabaseKind() === 'embedded') return context.skip('the embedded database has one server');
    const options = await freshOptions();
    const opened = await Promise.all([1, 2, 3, 4].map(() => openDatabase(options)));
    const [first] = opened;
    const rows = await first?.readers.run((handle) =>
      handle.execute(
        sql`select count(*)::int as n, count(distinct name)::int as names from tcp_dashboard.__drizzle_migrations`,
        'objects',
      ),
    );
    for (const one of opened) await one[Symbol.asyncDispose]();
    expect(rows).toEqual([{ n: rows?.[0]?.names, names: rows?.[0]?.names }]);
  });

  it('waits for a server that is not there yet, then says it does not answer, without the password', async () => {
    const secret = randomBytes(8).toString('hex');
    const warnings: unknown[] = [];
    let now = 0;
    const clock = {
      ...systemClock,
      monotonic: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
    const log = { ...silentLog, warn: (...all: unknown[]) => void warnings.push(all) };
    const url = `postgres://user:${secret}@127.0.0.1:1/db`;
    const error = await openDatabase(await freshOptions({ url, clock, log })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(warnings.length).toBeGreaterThan(3);
    expect(inspect([error, warnings], { depth: 20, showHidden: true })).not.toContain(secret);
  });

  it.each([
    'postgres://u:SECRET@host:99999999/db',
    'postgres://u:SECRET%zz@host/db',
    'http://u:SECRET@host/',
    'SECRET',
    'postgres://u:SECRET@host/db?sslmode=SECRET',
    'postgres://host/db?SECRET=1',
  ])('refuses the URL %s without repeating it', async (url) => {
    const error = await openDatabase(await freshOptions({ url })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('SECRET');
  });

  it('shows no password to whoever prints the database', async (context) => {
    if (testDatabaseKind() === 'embedded') return context.skip('the embedded database has no password');
    const options = await freshOptions();
    const url = new URL(options.url ?? '');
    url.password = 'pa55-canary';
    await using open = await openDatabase({ ...options, url: url.href });
    await open.ping();
    expect(inspect(open, { depth: 20, showHidden: true })).not.toContain('pa55-canary');
  });
});

describe('a server that goes silent', () => {
  it('is reported within three seconds, and found again afterwards', async (context) => {
    if (testDatabaseKind() === 'embedded') return context.skip('the embedded database has no network');
    const options = await freshOptions();
    const target = new URL(options.url ?? '');
    const upstream = Number(target.port);
    const sockets = new Set<Socket>();
    let silent = false;
    const proxy = createServer((client) => {
      const server = connect(upstream, target.hostname);
      for (const socket of [client, server]) sockets.add(socket.on('error', () => socket.destroy()));
      client.on('data', (bytes) => silent || server.write(bytes));
      server.on('data', (bytes) => silent || client.write(bytes));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    target.port = String(typeof address === 'object' ? address?.port : 0);
    {
      await using open = await openDatabase({ ...options, url: target.href });
      await open.ping();
      silent = true;
      const started = performance.now();
      await expect(open.ping()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      await expect(open.readers.run((handle) => handle.execute(sql`select 1`))).rejects.toSatisfy(isAway);
      expect(performance.now() - started).toBeLessThan(6_000);
      silent = false;
      await open.ping();
    }
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
});

it('a statement that takes too long is ended, and told from a database that is away', async (context) => {
  if (testDatabaseKind() === 'embedded') return context.skip('the embedded database ends no statement');
  const slow = await db()
    .readers.query({ text: 'select pg_sleep(60)' })
    .catch((error: unknown) => error);
  expect(slow).toMatchObject({ code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('statement timeout') });
  expect(isAway(slow)).toBe(false);
});

it('a connection plans its statements once or anew, as it was last told', async (context) => {
  if (testDatabaseKind() === 'embedded') return context.skip('all share one session there, which plans anew');
  const connection = await db().connect('test');
  try {
    const asked = () => connection.query({ name: 'planned', text: 'select $1::int as one', values: [1] });
    for (const how of ['once', 'once', 'anew', 'once'] as const) {
      await connection.plan(how);
      await asked();
    }
    const plans = await connection.query({
      text: "select generic_plans::int as once, custom_plans::int as anew from pg_prepared_statements where name = 'planned'",
    });
    expect(plans).toEqual([{ once: 3, anew: 1 }]);
  } finally {
    await connection.close();
  }
});

describe('instruments', () => {
  it('are made once and listed in pages with their first and last trade', async () => {
    const { symbol, trade } = scene();
    const ids = await Promise.all([1, 2, 3].map(() => upsertInstrument(db(), 'okx', symbol, 'market')));
    expect(new Set(ids).size).toBe(1);
    expect(await findInstrument(db(), 'okx', symbol)).toMatchObject({
      kind: 'market',
      firstTradeAt: null,
      lastTradeAt: null,
    });
    await using writer = await openTestWriter(db());
    const old = trade(1, { exchangeTime: Date.UTC(2024, 1, 3) });
    await writer.write([toRecord(trade(2)), toRecord(old)]);
    expect(await findInstrument(db(), 'okx', symbol)).toMatchObject({
      firstTradeAt: new Date(old.exchangeTime),
      lastTradeAt: new Date(trade(2).exchangeTime),
    });
    await upsertInstrument(db(), 'okx', 'USDT', 'account');
    const symbols: string[] = [];
    let after: { exchange: string; symbol: string } | null = null;
    for (let more = true; more; ) {
      const page = await listInstruments(db(), { exchange: 'okx', limit: 1, after });
      symbols.push(...page.instruments.map((one) => one.symbol));
      after = page.instruments.at(-1) ?? null;
      more = page.hasMore;
    }
    expect(symbols).toContain(symbol);
    expect(symbols).not.toContain('USDT');
    expect(symbols).toEqual([...new Set(symbols)].toSorted());
  });
});

describe('collectors', () => {
  it('are saved, replaced and removed by name', async () => {
    const one: StoredCollector = {
      name: 'okx:A-B',
      exchange: 'okx',
      symbol: 'A-B',
      config: { dataTypes: ['trade'] },
      status: 'running',
      shouldBeRunning: true,
      health: { issues: [] },
      statistics: { errors: 0 },
      updatedAt: new Date(1_700_000_000_123),
    };
    const two = { ...one, name: 'okx:C-D', shouldBeRunning: false };
    await saveCollectors(db(), [two, one]);
    await saveCollectors(db(), [{ ...one, status: 'error' }]);
    await saveCollectors(db(), []);
    expect(await loadCollectors(db())).toEqual([{ ...one, status: 'error' }, two]);
    await removeCollector(db(), one.name);
    await removeCollector(db(), one.name);
    expect(await loadCollectors(db())).toEqual([two]);
  });
});
