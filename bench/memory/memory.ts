import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Contender, Figures, Metric, Row } from '../frame/bench.ts';
import type { Held } from './held.ts';
import { MB, marketsOf, run } from './running.ts';

const [A_COLLECTOR, HEAP, ALL] = ['memory of a collector', 'heap of a collector', 'all of the process'];
const COLLECTOR_METRICS: readonly Metric[] = [
  { name: A_COLLECTOR, unit: 'MB', better: 'less' },
  { name: HEAP, unit: 'MB', better: 'less' },
  { name: ALL, unit: 'MB', better: 'less' },
];

/** Trades a second of a market; its order book comes ten times a second and its ticker as often. */
const RATE = 5;

interface Collectors {
  readonly count: number;
  /** Seconds of trades before it is looked. */
  readonly settle: number;
}

const LOOKS = 5;

/** Of a process with so many collectors, the least that was seen: pages go back to the system a little later. */
async function heldBy(file: string, { count, settle }: Collectors): Promise<Held> {
  await using running = await run(file, { symbols: marketsOf(count), rate: RATE });
  await sleep(settle * 1_000);
  const looks: Held[] = [];
  for (let k = 0; k < LOOKS; k += 1) {
    looks.push(await running.held());
    await sleep(settle * 50);
  }
  const least = (of: keyof Held) => Math.min(...looks.map((one) => one[of]));
  return { rss: least('rss'), heap: least('heap'), external: least('external') };
}

const collectorsOf = (name: string, role: Contender['role'], file: string, size: Collectors): Contender => ({
  ...{ name, role },
  async run(): Promise<Figures> {
    const [one, many] = [await heldBy(file, { ...size, count: 1 }), await heldBy(file, size)];
    return {
      [A_COLLECTOR]: (many.rss - one.rss) / (size.count - 1) / MB,
      [HEAP]: (many.heap - one.heap) / (size.count - 1) / MB,
      [ALL]: many.rss / MB,
    };
  },
});

const collectorsRow = (size: Collectors): Row => ({
  what: `1 to ${size.count} collectors`,
  work: `trades, ticker and order book of 1 market and of ${size.count} for ${size.settle} s, ${RATE} trades a second each; what a process holds after garbage collection`,
  ...{ metrics: COLLECTOR_METRICS, rounds: 1, boundSeconds: 120 },
  contenders: [
    collectorsOf('the server', 'ours', './ours.ts', size),
    collectorsOf('ccxt.pro, three watches a market', 'peer', './ccxt.ts', size),
  ],
  goals: [{ metric: A_COLLECTOR, atMost: 3 }],
  growth: { by: 'collectors', size: size.count },
});

export const memory: Bench = {
  name: 'memory',
  title:
    'What the server holds, with a Postgres of its own, of the simulator over real sockets. ccxt.pro holds what its caches are made for: the last 1,000 trades of a market and a book; it stores nothing.',
  rows: (size) =>
    size === 'tiny'
      ? [collectorsRow({ count: 4, settle: 1 })]
      : [10, 30, 100].map((count) => collectorsRow({ count, settle: 10 })),
};
