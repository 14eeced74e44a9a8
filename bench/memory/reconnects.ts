import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Figures, Metric, Row } from '../frame/bench.ts';
import type { Held } from './held.ts';
import { MB, marketsOf, run, trendOf } from './running.ts';

const [GROWTH, BEGIN, END] = ['growth of heap and buffers', 'both after a fifth', 'both at the end'];
const HEAP_ALONE = 'growth of the heap alone';
const RECONNECT_METRICS: readonly Metric[] = [
  { name: GROWTH, unit: '%', better: 'less' },
  { name: BEGIN, unit: 'MB', better: 'less' },
  { name: END, unit: 'MB', better: 'less' },
  { name: HEAP_ALONE, unit: '%', better: 'less' },
  { name: 'growth of all memory', unit: '%', better: 'less' },
  { name: 'messages a second', unit: '', better: 'more' },
];

interface Reconnects {
  readonly markets: number;
  readonly rate: number;
  readonly reconnects: number;
  readonly messages: number;
}

const LOOK_MS = 50;
const LOOKS_IN_ALL = 100;
/** Cached structures and compiled code come first. */
const WARM_UP = 0.2;

const reconnecting = (size: Reconnects): Contender => ({
  ...{ name: 'the server', role: 'ours' },
  async run(): Promise<Figures> {
    const { markets, rate, reconnects, messages } = size;
    await using running = await run('./ours.ts', { symbols: marketsOf(markets), rate });
    const { exchange } = running;
    const startedAt = performance.now();
    const looks: (Held & { readonly at: number })[] = [];
    const first = await exchange.ask<number>('sent');
    for (let [cuts, at] = [0, 0]; at < messages; ) {
      at = (await exchange.ask<number>('sent')) - first;
      if (at >= (messages / LOOKS_IN_ALL) * looks.length) looks.push({ ...(await running.held()), at });
      if (at >= (messages / reconnects) * (cuts + 0.5)) {
        await exchange.ask('cut');
        cuts += 1;
      }
      await sleep(LOOK_MS);
    }
    const warm = looks.filter(({ at }) => at >= messages * WARM_UP);
    const trend = (of: (look: Held) => number) => trendOf(warm.map((look) => ({ at: look.at, value: of(look) })));
    const both = trend(({ heap, external }) => heap + external);
    const percent = ({ begin, change }: typeof both) => (change / begin) * 100;
    return {
      [GROWTH]: percent(both),
      [BEGIN]: both.begin / MB,
      [END]: (both.begin + both.change) / MB,
      [HEAP_ALONE]: percent(trend(({ heap }) => heap)),
      'growth of all memory': percent(trend(({ rss }) => rss)),
      'messages a second': messages / ((performance.now() - startedAt) / 1_000),
    };
  },
});

const inWords = (count: number) => count.toLocaleString('en-US');

export const reconnectsRow = (size: Reconnects): Row => ({
  what: `${size.reconnects} reconnects, ${inWords(size.messages)} messages`,
  work: `trades, tickers and order books of ${size.markets} markets, ${size.rate} trades a second each, with every socket reset ${size.reconnects} times and what was missed fetched; the straight line through the heap and the buffers outside of it after garbage collection, from a fifth on, when every buffer of a fixed size is full`,
  ...{ metrics: RECONNECT_METRICS, rounds: 1, boundSeconds: 600 },
  contenders: [reconnecting(size)],
  goals: [{ metric: GROWTH, atMost: 5 }],
});
