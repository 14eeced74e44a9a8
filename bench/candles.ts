/**
 * A year of one instrument in a Postgres of its own: what pages of candles take over HTTP, at rest and beside live ingest, and what
 * the same rows take by `pg` alone, in turn with it. Prints a table and JSON; ends with 1 where a goal is missed.
 *
 *   npm run bench -- candles [--days 365] [--rate 1500] [--rounds 5] [--profile DIR]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import type { Stretch } from '../src/market/coverage.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { silentLog } from '../src/runtime/log.ts';
import { type Database, openDatabase } from '../src/storage/database.ts';
import { upsertInstrument } from '../src/storage/instruments.ts';
import { ensurePartitions } from '../src/storage/partitions.ts';
import { rollUp } from '../src/storage/roll-up.ts';
import { openTradeWriter } from '../src/storage/trade-writer.ts';
import { findPostgres, startCluster } from '../test/support/postgres-cluster.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    days: { type: 'string', default: '365' },
    rate: { type: 'string', default: '1500' },
    rounds: { type: 'string', default: '5' },
    profile: { type: 'string' },
  },
});
const [days, rate, rounds] = [Number(values.days), Number(values.rate), Number(values.rounds)];
const [EXCHANGE, SYMBOL, TRADES_A_MINUTE] = ['okx', 'YEAR-USDT', 4];
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const INGESTED = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'DOGE-USDT'];
const PAGES_A_ROUND = 40;
const YEARS_A_ROUND = 3;
const FIELDS = 'closeTime open high low close volume vwap tradeCount state completeness';
const end = Math.floor(Date.now() / DAY) * DAY;
const begin = end - days * DAY;
const SPAN = days === 365 ? 'a year' : `${days} days`;

/** One trade every 15 s, ids without a hole, through the statements the product fills its own candles with. */
async function fill(db: Database, direct: pg.Client): Promise<void> {
  await ensurePartitions(db, begin, end);
  const instrumentId = await upsertInstrument(db, EXCHANGE, SYMBOL, 'market');
  await using writer = await openTradeWriter(db, systemClock, silentLog, { owner: 'bench', writer: null });
  const first = BigInt(writer.writer) << 48n;
  const step = MINUTE / TRADES_A_MINUTE;
  const every = 7 * DAY;
  for (let from = begin; from < end; from += every) {
    const [k, last] = [(from - begin) / step, (Math.min(end, from + every) - begin) / step - 1];
    await direct.query('begin');
    await direct.query({
      text: `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
        select $1::int8 + k + 1, ts, ts, ts, $2, 1, case when k % 3 = 0 then 's' else 'b' end::"char", 'l', (1000000 + k)::text,
          round((50000 + 4000 * sin(k / 40000.0) + 30 * sin(k / 7.0))::numeric, 1), round((0.001 + (k % 97) * 0.00113)::numeric, 5)
        from (select k, 'epoch'::timestamptz + (${begin} + k * ${step} + (k * 7919) % 14000) * interval '1 millisecond' as ts
          from generate_series($3::int8, $4::int8) k) s`,
      values: [String(first), instrumentId, k, last],
    });
    const made = `(select * from tcp_dashboard.trade where id > ${first + BigInt(k)} and id <= ${first + BigInt(last) + 1n}) made`;
    await direct.query(rollUp(made));
    await direct.query('commit');
  }
  const count = (end - begin) / step;
  const [from, to] = [begin, end - 1_000];
  const stretch: Stretch = {
    ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', first: 1_000_000n, last: 1_000_000n + BigInt(count - 1) },
    ...{ from, to, actual: count, cause: null, gap: null, gapFoundAt: null },
  };
  const change = { exchange: EXCHANGE, symbol: SYMBOL, first: stretch.first, stretch };
  await writer.write({ trades: [], last: BigInt(count), changes: [change] });
  await direct.query('vacuum analyze');
}

const iso = (time: number) => new Date(time).toISOString();

async function ask(url: string, query: string, variables: object = {}): Promise<Record<string, Page>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Record<string, Page>; errors?: unknown };
  if (!data || errors) throw new Error(JSON.stringify(errors));
  return data;
}

interface Page {
  readonly edges: readonly { readonly node: { readonly state: string } }[];
  readonly pageInfo: { readonly endCursor: string | null };
}

const candles = (args: string) =>
  `candles(exchange: "${EXCHANGE}", symbol: "${SYMBOL}", ${args}) { edges { node { ${FIELDS} } } pageInfo { hasNextPage endCursor } }`;

/** As programs send it: one document for all pages. */
const PAGE = `query ($interval: CandleInterval!, $from: DateTime!, $to: DateTime, $after: Cursor) {
  ${candles('interval: $interval, from: $from, to: $to, after: $after, first: 1000')} }`;

function expectCandles(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} candles came instead of ${wanted}`);
}

async function pageOverHttp(url: string, from: number): Promise<void> {
  const page = (await ask(url, PAGE, { interval: 'M1', from: iso(from), to: iso(end), after: null })).candles;
  expectCandles(page?.edges.length ?? 0, 1_000);
}

/** Page by page, as a client that follows cursors. */
async function yearByPages(url: string): Promise<void> {
  let found = 0;
  let after: string | null = null;
  do {
    const variables: object = { interval: 'H1', from: iso(begin), to: iso(end), after };
    const page: Page | undefined = (await ask(url, PAGE, variables)).candles;
    if (page === undefined || page.edges.length === 0) break;
    found += page.edges.length;
    after = page.pageInfo.endCursor;
  } while (found < (end - begin) / HOUR);
  expectCandles(found, (end - begin) / HOUR);
}

/** All ranges in one document. */
async function yearAtOnce(url: string): Promise<void> {
  const parts: string[] = [];
  for (let from = begin; from < end; from += 1_000 * HOUR) {
    const args = `interval: H1, from: "${iso(from)}", to: "${iso(Math.min(end, from + 1_000 * HOUR))}", first: 1000`;
    parts.push(`part${parts.length}: ${candles(args)}`);
  }
  const pages = Object.values(await ask(url, `{ ${parts.join(' ')} }`));
  expectCandles(
    pages.reduce((sum, { edges }) => sum + edges.length, 0),
    (end - begin) / HOUR,
  );
}

/** The rows themselves, as objects and as the text a server would send. */
async function byPg(client: pg.Client, instrumentId: number, seconds: number, from: number, to: number): Promise<void> {
  const { rows } = await client.query({
    name: 'candles',
    text: `select (extract(epoch from ts) * 1000)::float8 as ts, (extract(epoch from recorded_at) * 1000)::float8 as recorded_at,
        trade_count::float8 as trade_count, open::text, high::text, low::text, close::text, volume::text, quote_volume::text, buy_volume::text
      from tcp_dashboard.candle where instrument_id = $1 and seconds = $2 and ts >= $3 and ts < $4 order by ts`,
    values: [instrumentId, seconds, iso(from), iso(to)],
  });
  if (JSON.stringify(rows).length < 1_000) throw new Error('Too few rows');
  expectCandles(rows.length, (to - from) / (seconds * 1_000));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const quantile = (times: readonly number[], share: number): number => {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};
const median = (values: readonly number[]): number => quantile(values, 0.5);

interface Measured {
  readonly what: string;
  readonly beside: string;
  readonly p50: number;
  readonly p99: number;
  readonly pgP50: number;
  readonly ratio: number;
  readonly goalMs: number;
}

interface Ways {
  readonly what: string;
  readonly goalMs: number;
  readonly times: number;
  readonly ours: (place: number) => Promise<void>;
  readonly pgs: (place: number) => Promise<void>;
}

/** In turn, at the same places; medians of the rounds. */
async function measure({ what, goalMs, times, ours, pgs }: Ways, beside: string): Promise<Measured> {
  const rows: { p50: number; p99: number; pgP50: number; ratio: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [own, other]: [number[], number[]] = [[], []];
    for (let k = 0; k < times; k += 1) {
      const place =
        begin + Math.floor((((round * times + k) * 0.618_034) % 1) * ((end - begin) / MINUTE - 1_000)) * MINUTE;
      own.push(await timed(() => ours(place)));
      other.push(await timed(() => pgs(place)));
    }
    if (round === 0) continue; // warms up
    const [p50, pgP50] = [median(own), median(other)];
    rows.push({ p50, p99: quantile(own, 0.99), pgP50, ratio: p50 / pgP50 });
  }
  const of = (pick: (row: (typeof rows)[number]) => number) => Math.round(median(rows.map(pick)) * 100) / 100;
  return {
    ...{ what, beside, goalMs, p50: of(({ p50 }) => p50), p99: of(({ p99 }) => p99), pgP50: of(({ pgP50 }) => pgP50) },
    ratio: of(({ ratio }) => ratio),
  };
}

/** A process of the project that says where it listens. */
async function started(file: string, args: readonly string[], env: Record<string, string> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const main = fileURLToPath(new URL(`../src/${file}`, import.meta.url));
  const flags =
    values.profile === undefined || file !== 'main.ts' ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const child: ChildProcess = spawn(process.execPath, [...flags, main, ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const line = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-16_384);
        const said = /listening on http:\/\/.*/.exec(output)?.[0];
        if (said !== undefined) resolve(said);
      });
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}: ${output}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  };
  return { line, [Symbol.asyncDispose]: stop };
}

const binaries = findPostgres();
if (binaries === null) {
  console.error('There is no Postgres on this machine (initdb on PATH or in /usr/lib/postgresql)');
  process.exit(2);
}
await using stack = new AsyncDisposableStack();
const cluster = stack.adopt(await startCluster(binaries), (own) => own.stop());
const directory = stack.adopt(mkdtempSync(join(tmpdir(), 'tcp-bench-')), (path) =>
  rmSync(path, { recursive: true, force: true }),
);
const client = new pg.Client({ connectionString: cluster.url });
await client.connect();
stack.defer(() => client.end());
const fillMs = await timed(async () => {
  await using db = await openDatabase({
    ...{
      url: cluster.url,
      dataDir: directory,
      poolSize: 4,
      maxOverflow: 0,
      poolTimeoutMs: 60_000,
      poolRecycleMs: 3_600_000,
    },
    tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
    ...{ log: silentLog, clock: systemClock },
  });
  await fill(db, client);
});
console.log(
  `filled ${(days * DAY) / MINUTE} minutes, ${(days * DAY * TRADES_A_MINUTE) / MINUTE} trades in ${Math.round(fillMs / 1000)} s`,
);
const simulator = stack.use(
  await started('simulator/cli.ts', [
    '--exchange',
    'okx',
    '--symbols',
    INGESTED.join(','),
    '--rate',
    String(rate / INGESTED.length),
  ]),
);
const connection = JSON.parse(simulator.line.slice(simulator.line.indexOf('{'))) as object;
writeFileSync(
  join(directory, 'config.json'),
  JSON.stringify({
    logging: { level: 'WARN', file_output: false },
    exchanges: [
      {
        ...{ exchange: 'okx', connection, data_collection: { store_raw_data: false } },
        trading_pairs: INGESTED.map((symbol) => ({ symbol, data_types: ['trade'] })),
      },
    ],
  }),
);
const server = stack.use(
  await started(
    'main.ts',
    ['--config', join(directory, 'config.json'), '--port', '0', '--data-dir', join(directory, 'data')],
    {
      DATABASE_URL: cluster.url,
    },
  ),
);
const url = /http:\/\/\S+/.exec(server.line)?.[0].replace(/[^\d]+$/, '') ?? '';
const { rows: found } = await client.query<{ id: number }>(
  'select id from tcp_dashboard.instrument where symbol = $1',
  [SYMBOL],
);
const instrumentId = found[0]?.id ?? 0;
const ways: readonly Ways[] = [
  {
    what: 'a page of 1,000 candles of 1m',
    ...{ goalMs: 20, times: PAGES_A_ROUND },
    ours: (place) => pageOverHttp(url, place),
    pgs: (place) => byPg(client, instrumentId, 60, place, place + 1_000 * MINUTE),
  },
  {
    what: `${SPAN} of 1h, one document`,
    ...{ goalMs: 100, times: YEARS_A_ROUND },
    ours: () => yearAtOnce(url),
    pgs: () => byPg(client, instrumentId, 3_600, begin, end),
  },
  {
    what: `${SPAN} of 1h, page after page`,
    ...{ goalMs: 100, times: YEARS_A_ROUND },
    ours: () => yearByPages(url),
    pgs: () => byPg(client, instrumentId, 3_600, begin, end),
  },
];
const ingested = async () => {
  const { rows } = await client.query<{ n: number }>(
    'select count(*)::int as n from tcp_dashboard.trade where instrument_id <> $1 and ts > $2',
    [instrumentId, iso(end)],
  );
  return rows[0]?.n ?? 0;
};
const measured: Measured[] = [];
const startedAt = [performance.now(), await ingested()] as const;
for (const way of ways) measured.push(await measure(way, 'ingest'));
const tradesPerSecond = Math.round(((await ingested()) - startedAt[1]) / ((performance.now() - startedAt[0]) / 1_000));
const stop = await fetch(`${url}/graphql`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: 'mutation { stopAllCollectors { userErrors { code message } } }' }),
});
await stop.text();
for (const way of ways) measured.push(await measure(way, 'nothing'));
console.log('what                           beside      p50 ms   p99 ms   pg p50   ratio   goal');
for (const { what, beside, p50, p99, pgP50, ratio, goalMs } of measured)
  console.log(
    `${what.padEnd(30)} ${beside.padEnd(8)} ${[p50, p99, pgP50, ratio].map((n) => n.toFixed(2).padStart(8)).join(' ')}   ${goalMs} ms, 1.5`,
  );
console.log(JSON.stringify({ days, tradesPerSecond, rounds, measured }, null, 2));
process.exitCode = measured.every(({ beside, p50, goalMs }) => beside === 'nothing' || p50 <= goalMs) ? 0 : 1;
