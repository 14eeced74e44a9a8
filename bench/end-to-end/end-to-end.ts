import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Bench, Contender, Figures, Goal, Metric, Row, Turn } from '../frame/bench.ts';
import { openCluster } from '../frame/postgres.ts';
import { Subject } from '../frame/subject.ts';
import type { MarketSent, Sending, Sent } from './exchange.ts';
import type { Subscribers, Taken } from './subscribers.ts';

/** What the process under test is told. */
export interface Wiring {
  readonly databaseUrl: string;
  readonly exchangePort: number;
  readonly symbols: readonly string[];
}

interface Size extends Sending {
  readonly markets: number;
  readonly subscribers: number;
  readonly warmUp: Sending;
}

const CPU = 'CPU of a trade';
const STORED = 'stored a second';
const [P50, P99] = ['frame to subscriber, p50', 'frame to subscriber, p99'];

const METRICS: readonly Metric[] = [
  { name: CPU, unit: 'µs', better: 'less' },
  { name: STORED, unit: '', better: 'more' },
  { name: 'sent a second', unit: '', better: 'more' },
  { name: 'all stored after', unit: 's', better: 'less' },
  { name: 'lost', unit: '', better: 'less' },
  { name: 'stored twice', unit: '', better: 'less' },
  { name: P50, unit: 'ms', better: 'less' },
  { name: P99, unit: 'ms', better: 'less' },
  { name: 'not delivered', unit: '', better: 'less' },
];

/** Until every subscriber has seen a trade, there is one now and then. */
const FIRST_TRADES: Sending = { seconds: 0.5, rate: 500 };
const READY_TRIES = 40;
const LOOK_MS = 250;
/** What has not come for so long does not come any more. */
const PATIENCE_MS = 5_000;

const contender = (name: string, role: Contender['role'], file: string, size: Size): Contender => ({
  ...{ name, role },
  async run(turn: Turn): Promise<Figures> {
    await using stack = new AsyncDisposableStack();
    const database = stack.use(await openPostgres());
    const [exchange, subscribers] = ['./exchange.ts', './subscribers.ts'].map((other) =>
      stack.use(new Subject(new URL(other, import.meta.url))),
    ) as [Subject, Subject];
    const server = stack.use(new Subject(new URL(file, import.meta.url)));
    const symbols = Array.from({ length: size.markets }, (_, k) => (k === 0 ? 'BTC-USDT' : `C${k}-USDT`));
    const exchangePort = await exchange.ask<number>('open', symbols);
    const wiring: Wiring = { databaseUrl: database.url, exchangePort, symbols };
    const port = await server.ask<number>('open', wiring);
    await exchange.ask('subscribed');
    const documents = Array.from({ length: size.subscribers }, (_, k) =>
      documentOf(role, symbols[k % symbols.length] ?? ''),
    );
    await subscribers.ask('open', { port, documents } satisfies Subscribers);
    for (let k = 0; (await subscribers.ask('reached')) !== size.subscribers; k += 1) {
      if (k === READY_TRIES) throw new Error('Not all subscribers see trades');
      await exchange.ask('send', FIRST_TRADES);
      await sleep(LOOK_MS);
    }
    /** Sends, and waits until all of it is stored and delivered, as far as it will be. */
    const carry = async (sending: Sending) => {
      const beginning = performance.now();
      const { trades, seconds } = await exchange.ask<Sent>('send', sending);
      const sent = await exchange.ask<readonly MarketSent[]>('sent');
      const all = sent.reduce((sum, market) => sum + market.trades, 0);
      const { value: stored, at } = await settled(database.stored, all);
      const newest = sent.map(({ lastId }) => lastId);
      await settled(() => subscribers.ask<number>('upToDate', newest), size.subscribers);
      return { trades, seconds, sent, stored, storedSeconds: (at - beginning) / 1e3 };
    };
    const { stored: before } = await carry(size.warmUp);
    await subscribers.ask('begin');
    const { cpuSeconds } = await server.usage();
    const { trades, seconds, sent, stored, storedSeconds } = await server.profiled(turn, () =>
      carry({ seconds: size.seconds, rate: size.rate }),
    );
    const used = (await server.usage()).cpuSeconds - cpuSeconds;
    const { lost, twice } = await database.compare(sent);
    const taken = await subscribers.ask<Taken>('taken');
    const undelivered = (trades * size.subscribers) / size.markets - (taken.trades - taken.twice);
    if (role === 'ours' && (lost > 0 || twice > 0 || undelivered !== 0 || taken.twice > 0))
      throw new Error(`${lost} lost, ${twice} twice, ${undelivered} not delivered, ${taken.twice} delivered twice`);
    return {
      [CPU]: (used * 1e6) / trades,
      [STORED]: (stored - before) / Math.max(seconds, storedSeconds),
      'sent a second': trades / seconds,
      'all stored after': Math.max(0, storedSeconds - seconds),
      ...{ lost, 'stored twice': twice, [P50]: taken.p50, [P99]: taken.p99, 'not delivered': undelivered },
    };
  },
});

/** Reads until it is what is wanted or does not change any more; `at`: when it came to be so. */
async function settled(read: () => Promise<number>, wanted: number) {
  let [value, at] = [await read(), performance.now()];
  while (value !== wanted && performance.now() - at < PATIENCE_MS) {
    await sleep(LOOK_MS);
    const found = await read();
    if (found !== value) [value, at] = [found, performance.now()];
  }
  return { value, at };
}

const FIELDS = 'exchange symbol tradeId price size side exchangeTime';

const documentOf = (role: Contender['role'], symbol: string): string =>
  role === 'peer'
    ? `subscription { trades(symbol: "${symbol}") { ${FIELDS} } }`
    : `subscription { trades(exchange: "okx", symbols: ["${symbol}"]) { edges { node { ${FIELDS} } } } }`;

/** A Postgres of its own, and what is in the table of the specification (ours has a view of that name). */
async function openPostgres() {
  await using opening = new AsyncDisposableStack();
  const cluster = opening.adopt(await openCluster({ durable: true }), (own) => own.stop());
  const client = new pg.Client({ connectionString: cluster.url });
  await client.connect();
  opening.defer(() => client.end());
  const opened = opening.move();
  return {
    url: cluster.url,
    async stored(): Promise<number> {
      const { rows } = await client.query<{ n: number }>('select count(*)::int as n from raw_trades');
      return rows[0]?.n ?? 0;
    },
    /** Against what was sent, whose ids come one after another. */
    async compare(sent: readonly MarketSent[]): Promise<{ lost: number; twice: number }> {
      const { rows } = await client.query<Record<'n' | 'ids' | 'span', number> & { readonly symbol: string }>(
        `select symbol, count(*)::int as n, count(distinct trade_id)::int as ids,
          (max(trade_id::bigint) - min(trade_id::bigint) + 1)::int as span
        from raw_trades group by symbol`,
      );
      let [lost, twice] = [0, 0];
      for (const { symbol, trades } of sent) {
        const found = rows.find((row) => row.symbol === symbol) ?? { n: 0, ids: 0, span: 0 };
        if (found.span > trades) throw new Error(`${symbol} has ids that nobody sent`);
        lost += trades - found.ids;
        twice += found.n - found.ids;
      }
      return { lost, twice };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const OURS = 'the server';
const GLUE = 'ccxt.pro, Drizzle and Yoga';

function rowOf(
  what: string,
  size: Size,
  { goals = [], peers = true }: { goals?: readonly Goal[]; peers?: boolean },
): Row {
  const { rate, seconds, markets, subscribers } = size;
  const speed = rate === null ? 'as fast as they are taken' : `${rate.toLocaleString('en-US')} a second`;
  return {
    what,
    work: `trades of ${markets} markets for ${seconds} s, ${speed}, into Postgres and to ${subscribers} subscribers of one market each`,
    ...{ metrics: METRICS, rounds: 1, boundSeconds: 240, goals },
    contenders: [
      contender(OURS, 'ours', './ours.ts', size),
      ...(peers ? [contender(GLUE, 'peer', './glue.ts', size)] : []),
    ],
    ...(rate === null ? {} : { growth: { by: 'trades a second', size: rate } }),
  };
}

const LOAD = { markets: 50, subscribers: 200 };
const warmUp: Sending = { seconds: 5, rate: 2_000 };

export const endToEnd: Bench = {
  name: 'end-to-end',
  title:
    'Trades of OKX over a real socket, into a Postgres that syncs every commit, and to 200 subscribers over WebSocket; exchange, server, Postgres and subscribers share the machine. Afterwards the database is compared with what was sent: ours fails where one trade is missing, twice, or was not delivered.',
  rows: (size) =>
    size === 'tiny'
      ? [rowOf('1,000 a second', { ...LOAD, warmUp, seconds: 2, rate: 1_000 }, {})]
      : [
          rowOf('500 a second', { ...LOAD, warmUp, seconds: 15, rate: 500 }, { peers: false }),
          rowOf(
            '2,000 a second',
            { ...LOAD, warmUp, seconds: 60, rate: 2_000 },
            { goals: [{ metric: P99, atMost: 25 }] },
          ),
          rowOf('10,000 a second', { ...LOAD, warmUp, seconds: 30, rate: 10_000 }, { peers: false }),
          rowOf(
            'as fast as it goes',
            { ...LOAD, warmUp, seconds: 60, rate: null },
            {
              goals: [
                { metric: STORED, atLeast: 10_000 },
                { metric: STORED, against: GLUE, atLeast: 10 },
              ],
            },
          ),
        ],
};
