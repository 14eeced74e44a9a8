import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Contender, Figures, Metric, Row } from '../frame/bench.ts';
import { Subject } from '../frame/subject.ts';
import type { Held } from './held.ts';
import { reconnectsRow } from './reconnects.ts';
import { MB, marketsOf, run, trendOf } from './running.ts';
import { Stuck } from './stuck.ts';

const [HEAP, RSS] = ['growth of the heap in 10 minutes', 'growth of all memory in 10 minutes'];
const METRICS: readonly Metric[] = [
  { name: HEAP, unit: 'MB', better: 'less' },
  { name: RSS, unit: 'MB', better: 'less' },
  { name: 'heap after warm-up', unit: 'MB', better: 'less' },
  { name: 'all memory after warm-up', unit: 'MB', better: 'less' },
  { name: 'all memory, most', unit: 'MB', better: 'less' },
  { name: 'stuck subscribers closed', unit: '', better: 'more' },
  { name: 'CPU', unit: '% of a core', better: 'less' },
];

interface Soak {
  readonly markets: number;
  /** Trades a second, in all. */
  readonly rate: number;
  readonly subscribers: number;
  readonly seconds: number;
  /** Of them, before it is judged. */
  readonly warmUp: number;
  readonly lookSeconds: number;
}

const NODE = '{ edges { node { exchange symbol tradeId price size side exchangeTime } } }';
const subscriptionOf = (symbols: readonly string[]): string =>
  `subscription { trades(exchange: "okx", symbols: ${JSON.stringify(symbols)}) ${NODE} }`;

/** As a dashboard asks now and then. */
const queriesOf = (symbol: string): readonly string[] => [
  `{ trades(exchange: "okx", symbol: "${symbol}", last: 100) ${NODE} }`,
  `{ collectors { name state health { status } } health { status subscribers } }`,
];

const soaking = (size: Soak): Contender => ({
  ...{ name: 'the server', role: 'ours' },
  async run(): Promise<Figures> {
    const symbols = marketsOf(size.markets);
    await using running = await run('./ours.ts', { symbols, rate: size.rate / size.markets });
    await using subscribers = new Subject(new URL('../fan-out/clients.ts', import.meta.url));
    const port = running.port ?? 0;
    const documents = symbols.map((symbol) => subscriptionOf([symbol]));
    await subscribers.ask('open', { port, count: size.subscribers, documents });
    using stuck = new Stuck(port, subscriptionOf(symbols));
    const looks: (Held & { readonly at: number })[] = [];
    const startedAt = performance.now();
    const passed = () => (performance.now() - startedAt) / 1_000;
    for (let k = 1; passed() < size.seconds; k += 1) {
      await sleep(Math.max(0, k - passed()) * 1_000);
      const query = queriesOf(symbols[k % symbols.length] ?? '')[k % 2] ?? '';
      const { health } = await ask<{ health?: { subscribers: number } }>(port, query);
      if (health) stuck.see(health.subscribers <= size.subscribers);
      if (k % size.lookSeconds !== 0) continue;
      const look = await running.held();
      looks.push({ at: passed(), ...look });
      if (k % 60 === 0) console.log(`  ${k} s: ${heldInWords(look)}`);
    }
    const warm = looks.filter(({ at }) => at >= size.warmUp);
    const trend = (of: 'heap' | 'rss') => trendOf(warm.map((look) => ({ at: look.at, value: look[of] })));
    const [heap, rss] = [trend('heap'), trend('rss')];
    return {
      [HEAP]: (heap.slope * 600) / MB,
      [RSS]: (rss.slope * 600) / MB,
      'heap after warm-up': heap.begin / MB,
      'all memory after warm-up': rss.begin / MB,
      'all memory, most': Math.max(...looks.map((look) => look.rss)) / MB,
      'stuck subscribers closed': stuck.closed,
      CPU: ((await running.subject.usage()).cpuSeconds / passed()) * 100,
    };
  },
});

const heldInWords = ({ heap, external, rss }: Held): string =>
  `heap ${(heap / MB).toFixed(1)} MB, buffers ${(external / MB).toFixed(1)} MB, all ${(rss / MB).toFixed(0)} MB`;

async function ask<T>(port: number, query: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) },
  });
  const { data, errors } = (await response.json()) as { readonly data: T; readonly errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

const rowOf = (size: Soak): Row => ({
  what: size.seconds < 60 ? `${size.seconds} seconds` : `${size.seconds / 60} minutes`,
  work: `${size.rate.toLocaleString('en-US')} trades a second of ${size.markets} markets with their tickers and order books, ${size.subscribers} subscribers of a market each, a query a second, and one more subscriber of all markets that never reads and comes back when it is closed; the straight line through what is held after garbage collection, after ${size.warmUp} s`,
  ...{ metrics: METRICS, rounds: 1, boundSeconds: size.seconds },
  contenders: [soaking(size)],
  goals: [{ metric: HEAP, atMost: 1 }],
});

export const soak: Bench = {
  name: 'soak',
  title:
    'What the server holds while it runs on: in half an hour of normal load with one subscriber that does not read, and while its sockets are reset again and again.',
  rows: (size) =>
    size === 'tiny'
      ? [
          reconnectsRow({ markets: 5, rate: 50, reconnects: 3, messages: 2_000 }),
          rowOf({ markets: 5, rate: 50, subscribers: 5, seconds: 6, warmUp: 2, lookSeconds: 1 }),
        ]
      : [
          reconnectsRow({ markets: 100, rate: 80, reconnects: 100, messages: 1_000_000 }),
          rowOf({ markets: 10, rate: 1_000, subscribers: 50, seconds: 1_800, warmUp: 300, lookSeconds: 10 }),
        ],
};
