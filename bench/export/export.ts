import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Contender, Figures, Goal, Metric, Row, Turn } from '../frame/bench.ts';
import { Subject } from '../frame/subject.ts';
import type { Read } from './reader.ts';
import { BEGIN, EXCHANGE, openStored, STEP_MS, SYMBOL } from './stored.ts';

const [RATE, GROWTH] = ['rows a second', 'memory after the first million rows'];
const METRICS: readonly Metric[] = [
  { name: RATE, unit: '', better: 'more' },
  { name: 'CPU of a million rows, with Postgres', unit: 's', better: 'less' },
  { name: 'without Postgres', unit: 's', better: 'less' },
  { name: 'bytes a row', unit: '', better: 'less' },
  { name: 'memory above the start, most', unit: 'MB', better: 'less' },
  { name: GROWTH, unit: 'MB', better: 'less' },
];

type Format = 'csv' | 'ndjson' | 'parquet';

interface Size {
  readonly format: Format;
  readonly rows: number;
  /** How many are stored. */
  readonly stored: number;
}

const [MB, MILLION, LOOK_MS] = [1e6, 1e6, 50];
const iso = (time: number) => new Date(time).toISOString();
const endOf = (rows: number) => BEGIN + rows * STEP_MS;

const ours = (size: Size): Contender => ({
  ...{ name: 'the server, over HTTP', role: 'ours' },
  async run(turn: Turn): Promise<Figures> {
    await using stack = new AsyncDisposableStack();
    const database = stack.adopt(await openStored(size.stored), (own) => own.stop());
    const server = stack.use(new Subject(new URL('./ours.ts', import.meta.url), ['--expose-gc']));
    const reader = stack.use(new Subject(new URL('./reader.ts', import.meta.url)));
    const port = await server.ask<number>('open', database.url);
    const addressOf = (rows: number) =>
      `http://127.0.0.1:${port}/export?${new URLSearchParams({
        ...{ exchange: EXCHANGE, symbol: SYMBOL, type: 'trades', format: size.format },
        ...{ from: iso(BEGIN), to: iso(endOf(rows)) },
      })}`;
    await reader.ask('byHttp', addressOf(Math.min(20_000, size.rows))); // everything is loaded and compiled
    const { cpuSeconds, rssBytes } = await server.usage();
    const postgres = cpuOfPostgres(database.directory);
    const looks: { readonly bytes: number; readonly rss: number }[] = [];
    let reading = true;
    const looking = (async () => {
      while (reading) {
        looks.push({ bytes: await reader.ask<number>('bytes'), rss: await server.ask<number>('rss') });
        await sleep(LOOK_MS);
      }
    })();
    const read = await server.profiled(turn, () => reader.ask<Read>('byHttp', addressOf(size.rows)));
    reading = false;
    await looking;
    const rows = size.format === 'parquet' ? await reader.ask<number>('rowsOfParquet') : rowsIn(read, size.format);
    if (rows !== size.rows) throw new Error(`${rows} rows came instead of ${size.rows}`);
    const own = (await server.usage()).cpuSeconds - cpuSeconds;
    const early = looks.filter(({ bytes }) => bytes * rows <= read.bytes * MILLION);
    const most = (of: typeof looks) => Math.max(rssBytes, ...of.map(({ rss }) => rss));
    return {
      ...figuresOf(rows, read, own, cpuOfPostgres(database.directory) - postgres),
      'memory above the start, most': (most(looks) - rssBytes) / MB,
      [GROWTH]: (most(looks) - most(early)) / MB,
    };
  },
});

const rowsIn = ({ lines }: Read, format: Format): number => (format === 'csv' ? lines - 1 : lines);

const figuresOf = (rows: number, { bytes, seconds }: Read, own: number, postgres: number): Figures => ({
  [RATE]: rows / seconds,
  'CPU of a million rows, with Postgres': ((own + postgres) / rows) * MILLION,
  'without Postgres': (own / rows) * MILLION,
  'bytes a row': bytes / rows,
});

const time = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${column}`;

/** The statement of what the product writes; with Postgres' own times it is cheaper. */
function copyOf(rows: number, timeOf: (column: string) => string): string {
  const columns = [
    ...[timeOf('ts'), 'price', 'size', `case side when 'b' then 'buy' else 'sell' end`, 'fill_count'],
    ...[timeOf('received_at'), timeOf('recorded_at'), `case provenance when 'l' then 'LIVE' else 'BACKFILL' end`],
    ...['t.id >> 48', 't.id & ((1::int8 << 48) - 1)', 'trade_id'],
  ];
  return `copy (select ${columns.join(', ')} from tcp_dashboard.trade t join tcp_dashboard.instrument i on i.id = t.instrument_id
    where i.exchange = '${EXCHANGE}' and i.symbol = '${SYMBOL}' and t.ts >= '${iso(BEGIN)}' and t.ts < '${iso(endOf(rows))}'
    order by t.ts) to stdout with (format csv, header)`;
}

const copy = (name: string, role: Contender['role'], size: Size, timeOf: (column: string) => string): Contender => ({
  ...{ name, role },
  async run(): Promise<Figures> {
    await using stack = new AsyncDisposableStack();
    const database = stack.adopt(await openStored(size.stored), (own) => own.stop());
    const reader = stack.use(new Subject(new URL('./reader.ts', import.meta.url)));
    const read = (rows: number) => reader.ask<Read>('byPsql', { url: database.url, statement: copyOf(rows, timeOf) });
    await read(Math.min(20_000, size.rows));
    const before = cpuOfPostgres(database.directory);
    const found = await read(size.rows);
    if (rowsIn(found, 'csv') !== size.rows)
      throw new Error(`${rowsIn(found, 'csv')} rows came instead of ${size.rows}`);
    return figuresOf(size.rows, found, found.cpuSeconds, cpuOfPostgres(database.directory) - before);
  },
});

/** Of all its processes, also those that have ended, s. */
function cpuOfPostgres(directory: string): number {
  const [pid = ''] = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n');
  const times = readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(name) : null;
    if (stat === null || (name !== pid && stat[1] !== pid)) return [];
    return Number(stat[11]) + Number(stat[12]) + (name === pid ? Number(stat[13]) + Number(stat[14]) : 0);
  });
  return times.reduce((sum, ticks) => sum + ticks, 0) / 100;
}

/** From the state on; null for one that is gone. */
function statOf(pid: string): readonly string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? null;
  } catch {
    return null;
  }
}

const [SAME_TEXT, OWN_TIMES] = ['`psql`, COPY TO, the same text', '`psql`, COPY TO, times as Postgres writes them'];
const WORDS: Readonly<Record<Format, string>> = { csv: 'CSV', ndjson: 'NDJSON', parquet: 'Parquet' };

function rowOf(size: Size, limits: readonly string[], goals: readonly Goal[]): Row {
  const { format, rows } = size;
  return {
    what: `${rows.toLocaleString('en-US')} trades, ${WORDS[format]}`,
    work: `all eleven columns of ${rows.toLocaleString('en-US')} trades of one market by time; the limit writes CSV`,
    ...{ metrics: METRICS, rounds: 1, boundSeconds: 200, goals },
    contenders: [
      ...(limits.includes(SAME_TEXT) ? [copy(SAME_TEXT, 'limit', size, time)] : []),
      ours(size),
      ...(limits.includes(OWN_TIMES) ? [copy(OWN_TIMES, 'peer', size, (column) => column)] : []),
    ],
    ...(format === 'csv' ? { growth: { by: 'rows', size: rows } } : {}),
  };
}

const FLAT: Goal = { metric: GROWTH, atMost: 50 };
const HALF: readonly Goal[] = [
  { metric: RATE, against: 'limit', atLeast: 0.5 },
  { metric: RATE, against: OWN_TIMES, atLeast: 0.5 },
];

export const exporting: Bench = {
  name: 'export',
  title:
    'Trades of a Postgres that holds ten million of them, as files over HTTP, beside one COPY by `psql`: the same columns and the same bytes but for the ends of lines, and again with times as Postgres writes them, which is cheaper. A pipe to one reader takes all of it.',
  rows: (size) => {
    if (size === 'tiny')
      return (['csv', 'ndjson', 'parquet'] as const).map((format) =>
        rowOf(
          { format, rows: 10_000, stored: 20_000 },
          [SAME_TEXT, OWN_TIMES],
          format === 'csv' ? [...HALF, FLAT] : [],
        ),
      );
    const stored = 10_000_000;
    const both = [SAME_TEXT, OWN_TIMES];
    return [
      rowOf({ format: 'csv', rows: 1_000_000, stored }, both, HALF),
      rowOf({ format: 'csv', rows: 3_000_000, stored }, [SAME_TEXT], [HALF[0] as Goal]),
      rowOf({ format: 'csv', rows: 10_000_000, stored }, both, [...HALF, FLAT]),
      rowOf({ format: 'ndjson', rows: 3_000_000, stored }, [SAME_TEXT], [FLAT]),
      rowOf({ format: 'parquet', rows: 10_000_000, stored }, [SAME_TEXT], [FLAT]),
    ];
  },
};
