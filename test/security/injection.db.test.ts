import { readFile } from 'node:fs/promises';
import { buildSchema } from 'graphql';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { freshDatabaseOf } from '../chaos/own-database.ts';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { type Cluster, findPostgres, startCluster } from '../support/postgres-cluster.ts';
import { configOf, type ServerProcess, startServerProcess } from '../support/whole-server.ts';
import { beginningOf } from './beginning.ts';
import { MARK, PAYLOADS } from './payloads.ts';
import { type Place, placesOf } from './places.ts';
import { StatementLog } from './statement-log.ts';

/**
 * Two hundred ways out of a text, in every place a client's text can go, before a Postgres that writes down what it is told. Each place gets
 * every fifth of them, another fifth than its neighbour; INJECTION_STEP=1 gives all of them to each, which takes minutes.
 */
const STEP = Number(process.env.INJECTION_STEP ?? 5);
const printed = buildSchema(await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
const PLACES = placesOf(printed);
const binaries = findPostgres();
/** Fields at the root of one question; the limit is 15 aliases. */
const AT_ONCE = 10;
const SIDE_BY_SIDE = 6;
/** What clients are told that we know of, and nothing unexpected. */
const CODE = /^(?!INTERNAL_SERVER_ERROR)[A-Z]+(_[A-Z]+)*$/;

const log = new StatementLog();
let cluster: Cluster;
let simulator: Simulator;
let server: ServerProcess;
let url: string;
/** A cursor and ids as the server gives them, by field. */
const cursors = new Map<string, string>();

describe.runIf(testDatabaseKind() === 'postgres' && binaries !== null)('texts of clients', () => {
  beforeAll(async () => {
    cluster = await startCluster(binaries ?? '', {
      settings: ['log_statement=all', `log_line_prefix=${StatementLog.PREFIX}`],
      log: (text) => log.hear(text),
    });
    url = await freshDatabaseOf(cluster, 'injection');
    simulator = await startSimulator({ exchange: 'okx', symbols: ['BTC-USDT'], rate: 50 });
    const place = { ...(await databaseOptions()), url };
    const pair = { symbol: 'BTC-USDT', data_types: ['trade', 'ticker', 'orderbook'] };
    const collecting = await startServerProcess(configOf([{ simulator, pairs: [pair] }]), place);
    server = collecting;
    await collecting.running(1);
    simulator.faults.add({ kind: 'gap', symbol: 'BTC-USDT', trades: 5 });
    await vi.waitFor(collectCursors, { timeout: 20_000, interval: 200 });
    await collecting.end('SIGTERM'); // so that all it has is stored, and nothing changes any more by itself
    const idle = { ...pair, enabled: false };
    server = await startServerProcess(configOf([{ simulator, pairs: [idle] }]), place);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await simulator[Symbol.asyncDispose]();
    await cluster.stop();
  });

  it('go to every place there is', () => {
    expect(PAYLOADS).toHaveLength(200);
    expect(PLACES.length).toBeGreaterThan(80);
  });

  it('reach the database as values only, change nothing, and are answered', async () => {
    const before = [await stored(), await relations()];
    const odd: string[] = [];
    const note = (what: string, text: string) => {
      for (const [, code = ''] of text.matchAll(/"code":"([^"]*)"/g))
        if (!CODE.test(code)) odd.push(`${what}: ${text}`);
      if (!/"(data|errors)":/.test(text)) odd.push(`${what}: ${text}`);
    };
    await sideBySide(PLACES.flatMap(documentsFor), async ({ place, document }) => {
      note(document, await beginningOf(server.url, place.operation, document));
    });
    await sideBySide(everyFew(0), async ([payload]) => {
      for (const parameter of ['exchange', 'symbol', 'type', 'interval', 'from', 'to', 'format', payload]) {
        const asked = new URLSearchParams({
          exchange: 'okx',
          symbol: 'NO-SUCH',
          type: 'trades',
          from: '2026-01-01',
          [parameter]: payload,
        });
        for (const path of ['/export', '/export/manifest'])
          note(`${path} ${parameter}`, await (await fetch(`${server.url}${path}?${asked}`)).text());
      }
    });
    expect(odd.slice(0, 5)).toEqual([]);
    await vi.waitFor(() => expect(log.values.some((value) => value.includes(MARK))).toBe(true), 5_000);
    expect([await stored(), await relations()]).toEqual(before);
    expect(log.statements.filter((statement) => statement.includes(MARK))).toEqual([]);
    expect(log.errors).toEqual([]);
  }, 300_000);

  it('that ask for too much are refused before the database is asked anything', async () => {
    for (const [what, { query, variables, headers }] of Object.entries(TOO_MUCH)) {
      const text = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      }).then(
        (response) => response.text(),
        () => '"code":"REQUEST_ENTITY_TOO_LARGE"', // it hangs up while the body is still on its way
      );
      expect(text, what).toMatch(/"code":"(LIMIT_EXCEEDED|BAD_USER_INPUT|REQUEST_ENTITY_TOO_LARGE)"/);
    }
    // What came later is in the log, so what came before would be, too.
    await server.ask(`{ instrument(exchange: "okx", symbol: "${MARK}9999") { symbol } }`);
    await vi.waitFor(() => expect(log.values).toContain(`${MARK}9999`), 5_000);
    expect(log.values.filter((value) => value.startsWith(TOO_MUCH_MARK))).toEqual([]);
  });
});

const TOO_MUCH_MARK = `${MARK}5550`;
const MARKET = `exchange: "okx", symbol: "${TOO_MUCH_MARK}1"`;
const PAGES: readonly string[] = [
  `trades(${MARKET}, first: $n)`,
  `trades(${MARKET}, last: $n)`,
  `tickers(${MARKET}, first: $n)`,
  `orderBooks(${MARKET}, first: $n)`,
  `marketData(${MARKET}, dataType: TICKER, first: $n)`,
  `candles(${MARKET}, interval: H1, from: "2026-01-01T00:00:00Z", first: $n)`,
  `gaps(${MARKET}, first: $n)`,
  `auditLog(principal: "${TOO_MUCH_MARK}2", first: $n)`,
];
const idsOf = (count: number) =>
  Array.from({ length: count }, (_, k) => Buffer.from(`Instrument:okx:${TOO_MUCH_MARK}${k}`).toString('base64'));
const symbolsOf = (count: number) => Array.from({ length: count }, (_, k) => `${TOO_MUCH_MARK}${k}`);
const EVENTS = { accept: 'text/event-stream' };

interface TooMuch {
  readonly query: string;
  readonly variables?: object;
  readonly headers?: Record<string, string>;
}

const TOO_MUCH: Readonly<Record<string, TooMuch>> = Object.fromEntries<TooMuch>([
  ...PAGES.flatMap((page) =>
    [1_000_000, 1_001, 0, -1, 2 ** 31, -(2 ** 31)].map((n): [string, TooMuch] => [
      `${page} ${n}`,
      { query: `query ($n: Int) { ${page} { pageInfo { endCursor } } }`, variables: { n } },
    ]),
  ),
  ...[101, 501, 100_000].flatMap((count): [string, TooMuch][] => [
    [`${count} ids`, { query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', variables: { ids: idsOf(count) } }],
    [
      `${count} symbols`,
      {
        query: 'subscription ($symbols: [String!]) { trades(exchange: "okx", symbols: $symbols) { cursor } }',
        variables: { symbols: symbolsOf(count) },
        headers: EVENTS,
      },
    ],
  ]),
  ...[
    `coverage(${MARKET}, from: "2016-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z") { status }`,
    `candles(${MARKET}, interval: H1, from: "2016-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", first: 10) { pageInfo { endCursor } }`,
  ].map((field): [string, TooMuch] => [field, { query: `{ ${field} }` }]),
]);

/** Payloads and their numbers. */
const everyFew = (from: number): readonly (readonly [string, number])[] =>
  PAYLOADS.map((payload, k) => [payload, k] as const).filter(([, k]) => k % STEP === from % STEP);

function documentsFor(place: Place, at: number): readonly { readonly place: Place; readonly document: string }[] {
  const calls = everyFew(at).map(([payload, k]) => place.call(JSON.stringify(disguised(place, payload, k))));
  if (place.operation !== 'query') return calls.map((call) => ({ place, document: `${place.operation} { ${call} }` }));
  return Array.from({ length: Math.ceil(calls.length / AT_ONCE) }, (_, part) => ({
    place,
    document: `{ ${calls
      .slice(part * AT_ONCE, (part + 1) * AT_ONCE)
      .map((call, k) => `a${k}: ${call}`)
      .join(' ')} }`,
  }));
}

/** As it is, or inside what only looks opaque: cursors and global ids are Base64 of something. */
function disguised({ operation, field, type }: Place, payload: string, k: number): string {
  if (type === 'ID' && k % 4 !== 0) {
    const typename = ['Backfill', 'Collector', 'Exchange', 'Gap', 'Instrument', 'Trade'][k % 6];
    return Buffer.from(`${typename}:${k % 3 ? `okx:${payload}` : payload}`).toString('base64');
  }
  if (type !== 'Cursor' || k % 8 === 0) return payload;
  const parts = Buffer.from(cursors.get(`${operation}.${field}`) ?? '', 'base64url')
    .toString()
    .split(/([ .~:])/);
  parts[2 * (k % Math.ceil(parts.length / 2))] = payload;
  return Buffer.from(parts.join('')).toString('base64url');
}

type Found = Readonly<Record<string, { readonly pageInfo: { readonly endCursor: string | null } }>> & {
  readonly health: { readonly openGaps: number };
};

async function collectCursors(): Promise<void> {
  const market = 'exchange: "okx", symbol: "BTC-USDT", first: 1';
  const since = new Date(Date.now() - 600_000).toISOString();
  const { health, ...found } = await server.ask<Found>(`{
    trades(${market}) { pageInfo { endCursor } }
    tickers(${market}) { pageInfo { endCursor } }
    orderBooks(${market}) { pageInfo { endCursor } }
    marketData(${market}, dataType: TICKER) { pageInfo { endCursor } }
    candles(${market}, interval: S1, from: "${since}") { pageInfo { endCursor } }
    health { openGaps }
    gaps(first: 1) { pageInfo { endCursor } }
    instruments(first: 1) { pageInfo { endCursor } }
  }`);
  expect(health.openGaps).toBe(0);
  for (const [field, { pageInfo }] of Object.entries(found)) {
    expect(pageInfo.endCursor, field).not.toBeNull();
    cursors.set(`query.${field}`, pageInfo.endCursor ?? '');
  }
  cursors.set('query.auditLog', cursors.get('query.trades') ?? '');
  for (const field of ['trades', 'candles', 'collectorEvents'])
    cursors.set(`subscription.${field}`, Buffer.from('1~vVXk3itr0R~0.1403').toString('base64url'));
}

async function sideBySide<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const work = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await each(next);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
}

async function ask(statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Rows of everything that is collected. */
const stored = () =>
  ask(`select (select count(*) from tcp_dashboard.trade) as trades, (select count(*) from tcp_dashboard.market_point) as data,
    (select count(*) from tcp_dashboard.instrument) as instruments`);

/** Everything that is there, as far as a statement can make or break it. */
const relations = () =>
  ask(`select n.nspname, c.relname, c.relkind, count(a.*) as columns from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where n.nspname not like 'pg_%' group by 1, 2, 3
    union all select 'roles', string_agg(rolname, ' ' order by rolname), 'r', count(*) from pg_roles
    union all select 'functions', string_agg(proname, ' ' order by proname), 'f', count(*) from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace where n.nspname not in ('pg_catalog', 'information_schema')
    order by 1, 2, 3`);
