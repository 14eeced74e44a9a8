import type { Bench, Contender, Figures, Goal, Metric, Role, Row, Turn } from '../frame/bench.ts';
import { Subject } from '../frame/subject.ts';
import { LATEST, PAGE, writeKey } from './asked.ts';
import { besideIngest } from './beside-ingest.ts';
import { Client, quantile, timed } from './client.ts';
import { type Content, databaseCpuSeconds, databaseOf, stopDatabase, withClient } from './database.ts';
import { MARKETS } from './fill-trades.ts';
import { type ContenderId, candlesIn, countOf, hoursIn, latestIn, pageIn } from './questions.ts';

const [CPU, P50, P99, POSTGRES] = ['CPU of a page', 'p50', 'p99', 'CPU of Postgres'];
const inMs = (...names: readonly string[]): readonly Metric[] =>
  names.map((name) => ({ name, unit: 'ms', better: 'less' }));
const METRICS = inMs(CPU, P50, P99, POSTGRES);
/** Where it is the database's cost that may grow. */
const BY_POSTGRES = inMs(POSTGRES, CPU, P50, P99);
const TIMES_FIRST = 'times the first page';

const CONTENDERS: readonly { readonly id: ContenderId; readonly name: string; readonly role: Role }[] = [
  { id: 'limit', name: '`pg` and `JSON.stringify`', role: 'limit' },
  { id: 'ours', name: 'the server', role: 'ours' },
  { id: 'postgraphile', name: 'PostGraphile', role: 'peer' },
  { id: 'mercurius', name: 'Mercurius with JIT', role: 'peer' },
];

/** What one contender is asked: the k-th question, and how many rows its answer holds. */
interface Asking {
  readonly question: (k: number) => object;
  readonly rows: number;
}

interface Work {
  readonly content: Content;
  /** Prepares what is asked of a contender, which may be asked for it. */
  readonly ask: (id: ContenderId, client: Client, database: string) => Promise<Asking> | Asking;
  readonly warmUp: number;
  readonly times: number;
}

/** A server of its own process, asked until it is warm and then measured. */
async function measured(id: ContenderId, turn: Turn, { content, ask, warmUp, times }: Work): Promise<Figures> {
  const database = await databaseOf(content);
  await using subject = new Subject(new URL(`./${id}.ts`, import.meta.url));
  using client = new Client(await subject.ask<string>('open', { database }));
  const { question, rows } = await ask(id, client, database);
  const found = countOf(await client.ask(question(0)));
  if (found !== rows) throw new Error(`${found} rows came instead of ${rows}`);
  for (let k = 1; k < warmUp; k += 1) await client.ask(question(k));
  const begin = [(await subject.usage()).cpuSeconds, databaseCpuSeconds()] as const;
  const took: number[] = [];
  await subject.profiled(turn, async () => {
    for (let k = 0; k < times; k += 1) took.push(await timed(() => client.ask(question(k))));
  });
  return {
    [CPU]: (((await subject.usage()).cpuSeconds - begin[0]) / times) * 1_000,
    [P50]: quantile(took, 0.5),
    [P99]: quantile(took, 0.99),
    [POSTGRES]: ((databaseCpuSeconds() - begin[1]) / times) * 1_000,
  };
}

const contendersOf = (work: Work, ids: readonly ContenderId[] = ['limit', 'ours', 'postgraphile', 'mercurius']) =>
  CONTENDERS.filter(({ id }) => ids.includes(id)).map(
    ({ id, name, role }): Contender => ({ name, role, run: (turn) => measured(id, turn, work) }),
  );

/** 1 / 1.3 and 1 / 1.5, as a goal says how much better than another ours is. */
const NEAR_LIMIT: Goal = { metric: CPU, against: 'limit', atLeast: 0.77 };
const FASTER: Goal = { metric: CPU, against: 'best peer', atLeast: 1 };
const NEAR_LIMIT_OF_CANDLES: Goal = { metric: CPU, against: 'limit', atLeast: 0.67 };

const firstPage: Work['ask'] = (id) => ({
  question: (k) => pageIn(id, { market: k % MARKETS, first: PAGE }),
  rows: PAGE,
});

/** Half of all trades are before it. Every contender is asked for its cursors first. */
const deepPage: Work['ask'] = async (id, client, database) => {
  const { middle } = await rangeOf(database);
  const cursors: string[] = [];
  for (let market = 0; market < MARKETS; market += 1) {
    if (id === 'limit') cursors.push(writeKey({ ts: middle, tradeId: '0' }));
    else cursors.push(cursorIn(await client.ask(pageIn(id, { market, first: 1, to: middle }))));
  }
  return {
    question: (k) => {
      const market = k % MARKETS;
      return pageIn(id, { market, first: PAGE, after: cursors[market] ?? '' });
    },
    rows: PAGE,
  };
};

const cursorIn = (text: string): string => /"endCursor":"([^"]+)"/.exec(text)?.[1] ?? '';

/** One side in a fifth of all time. */
const filteredPage: Work['ask'] = async (id, _client, database) => {
  const { from, to } = await rangeOf(database);
  return {
    question: (k) => pageIn(id, { market: k % MARKETS, first: PAGE, side: 'SELL', from, to }),
    rows: PAGE,
  };
};

const latest: Work['ask'] = (id) => ({ question: () => latestIn(id), rows: MARKETS * LATEST });

const rangeOf = (database: string) =>
  withClient(database, async (client) => {
    const { rows } = await client.query<{ begin: Date; end: Date }>(
      'select min(ts) as begin, max(ts) as end from tcp_dashboard.trade where instrument_id <= $1',
      [MARKETS],
    );
    const [begin = 0, end = 0] = rows.flatMap((row) => [row.begin.getTime(), row.end.getTime()]);
    const at = (share: number) => new Date(begin + Math.floor((end - begin) * share)).toISOString();
    return { middle: at(0.5), from: at(0.6), to: at(0.8) };
  });

const candlesOf = (database: string) =>
  withClient(database, async (client) => {
    const { rows } = await client.query<{ begin: Date; end: Date }>(
      'select min(ts) as begin, max(ts) as end from tcp_dashboard.candle where seconds = 3600',
    );
    return { begin: rows[0]?.begin.getTime() ?? 0, end: (rows[0]?.end.getTime() ?? 0) + 3_600_000 };
  });

const candlePage: Work['ask'] = async (id, _client, database) => {
  const { begin, end } = await candlesOf(database);
  const places = (end - begin) / 60_000 - PAGE;
  // Spread over all of it, the same for everyone.
  const place = (k: number) => begin + Math.floor(((k * 0.618_034) % 1) * places) * 60_000;
  return { question: (k) => candlesIn(id, place(k)), rows: PAGE };
};

const allHours: Work['ask'] = async (id, _client, database) => {
  const { begin, end } = await candlesOf(database);
  return { question: () => hoursIn(id, begin, end), rows: (end - begin) / 3_600_000 };
};

interface Size {
  readonly rows: readonly [number, number, number];
  /** How many the fewest rows are spread over. */
  readonly months: readonly number[];
  readonly days: number;
  readonly warmUp: number;
  readonly pages: number;
  readonly rounds: number;
}

function rowsOf({ rows: sizes, months, days, warmUp, pages, rounds }: Size): readonly Row[] {
  const [few, more, rows] = sizes;
  const shared = { metrics: METRICS, rounds, boundSeconds: 60 };
  const content = { rows };
  const paging = { warmUp, times: pages };
  const pageOf = (own: Content): Work => ({ content: own, ask: firstPage, ...paging });
  const text = (count: number) => count.toLocaleString('en-US');
  const deep: Work = { content, ask: deepPage, ...paging };
  const few_ = Math.max(2, Math.ceil(pages / 10));
  return [
    ...[few, more].map((count) => ({
      ...{ what: `${text(PAGE)} trades of ${text(count)}`, work: 'the newest of one market', ...shared },
      growth: { by: 'rows', size: count },
      contenders: contendersOf(pageOf({ rows: count }), ['limit', 'ours']),
      goals: [NEAR_LIMIT],
    })),
    {
      ...{ what: `${text(PAGE)} trades of ${text(rows)}`, work: 'the newest of one market', ...shared },
      growth: { by: 'rows', size: rows },
      contenders: contendersOf(pageOf(content)),
      goals: [NEAR_LIMIT, FASTER],
    },
    {
      ...{ what: 'a page deep in them', work: `${text(PAGE)} trades after a cursor in the middle`, ...shared },
      metrics: [...METRICS, { name: TIMES_FIRST, unit: '', better: 'less' }],
      contenders: contendersOf(deep).map((one) => (one.role === 'ours' ? besideFirst(one, pageOf(content)) : one)),
      goals: [NEAR_LIMIT, FASTER, { metric: TIMES_FIRST, atMost: 1.2 }],
    },
    {
      ...{ what: 'filtered', work: `${text(PAGE)} trades of one side in a fifth of the time`, ...shared },
      contenders: contendersOf({ content, ask: filteredPage, ...paging }),
      goals: [NEAR_LIMIT, FASTER],
    },
    {
      ...{ what: `the latest ${LATEST} of ${MARKETS} markets`, work: 'in one document', ...shared },
      contenders: contendersOf({ content, ask: latest, warmUp: few_, times: few_ }),
      goals: [NEAR_LIMIT, FASTER],
    },
    {
      ...{ what: `${text(PAGE)} candles of 1m`, work: 'with `vwap`, state and completeness', ...shared },
      contenders: contendersOf({ content: { days }, ask: candlePage, ...paging }, ['limit', 'ours']),
      goals: [NEAR_LIMIT_OF_CANDLES],
    },
    {
      ...{ what: `${days} days of 1h`, work: 'in one document', ...shared },
      contenders: contendersOf({ content: { days }, ask: allHours, warmUp: few_, times: few_ }, ['limit', 'ours']),
      goals: [NEAR_LIMIT_OF_CANDLES],
    },
    // Of few trades a page reaches over many months: it holds half of those of its market.
    ...months.map((size) => ({
      ...{ what: `${text(PAGE)} trades of ${text(few)} over ${size} ${size === 1 ? 'month' : 'months'}`, ...shared },
      ...{ work: 'the newest of one market', metrics: BY_POSTGRES, growth: { by: 'partitions', size } },
      contenders: contendersOf(pageOf({ rows: few, months: size }), ['limit', 'ours']),
      goals: [NEAR_LIMIT],
    })),
    besideIngest(content, pages),
  ];
}

/** Measures the first page right after, so that the two can be compared. */
const besideFirst = (deep: Contender, first: Work): Contender => ({
  ...deep,
  async run(turn) {
    const figures = await deep.run(turn);
    if (turn.profile !== null) return figures;
    const beside = await measured('ours', turn, first);
    return { ...figures, [TIMES_FIRST]: (figures[CPU] ?? 0) / (beside[CPU] ?? Number.NaN) };
  },
});

export const history: Bench = {
  name: 'history',
  title:
    'Pages of stored trades over HTTP, on one connection that is kept, from one Postgres in the real schema, which is filled on the first run and kept. The limit has no GraphQL: a bare server sends rows of prepared statements as JSON, in the shape they come in. PostGraphile knows the numbers of the markets and need not look for them.',
  rows: (size) =>
    rowsOf(
      size === 'tiny'
        ? { rows: [150_000, 200_000, 2_000_000], months: [1, 2, 3], days: 10, warmUp: 2, pages: 5, rounds: 1 }
        : { rows: [200_000, 2_000_000, 20_000_000], months: [1, 6, 24], days: 365, warmUp: 100, pages: 200, rounds: 3 },
    ),
  close: stopDatabase,
};
