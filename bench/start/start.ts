import type { Bench, Contender, Figures, Metric, Row } from '../frame/bench.ts';
import { Place } from './place.ts';

const [TRADE, ANSWER, CPU] = ['to the first stored trade', 'to the first answer', 'CPU until then'] as const;

const METRICS: readonly Metric[] = [
  { name: TRADE, unit: 's', better: 'less' },
  { name: ANSWER, unit: 's', better: 'less' },
  { name: CPU, unit: 's', better: 'less' },
];

const contender = (place: Place, database: 'embedded' | 'postgres', trades: number): Contender => ({
  name: '`npm start`',
  role: 'ours',
  async run({ profile }): Promise<Figures> {
    await place.prepare(database, trades);
    const { tradeSeconds, answerSeconds, cpuSeconds } = await place.start(database, profile);
    return { [TRADE]: tradeSeconds, [ANSWER]: answerSeconds, ...(cpuSeconds === null ? {} : { [CPU]: cpuSeconds }) };
  },
});

const rowOf = (place: Place, database: 'embedded' | 'postgres', trades: number, rounds: number): Row => {
  const filled = trades === 0 ? 'those of earlier runs' : `${(trades / 1e6).toLocaleString('en-US')} million trades`;
  return {
    what: database === 'postgres' ? 'native Postgres' : `embedded database, ${filled}`,
    work: `from the command to a trade in the database that was made after it, seen by asking the API; the database is there, with ${filled}`,
    ...{ metrics: METRICS, rounds, boundSeconds: 120 },
    contenders: [contender(place, database, trades)],
    goals: [{ metric: TRADE, atMost: 3 }],
    ...(database === 'embedded' ? { growth: { by: 'rows', size: trades } } : {}),
  };
};

const place = new Place();

export const start: Bench = {
  name: 'start',
  title:
    'A server is started as a user starts it, beside a simulated exchange that runs already; not for the first time, so that files are read and compiled already.',
  rows: (size) =>
    size === 'tiny'
      ? [rowOf(place, 'embedded', 1_000, 1)]
      : [
          rowOf(place, 'postgres', 0, 5),
          ...[100_000, 1_000_000, 3_000_000].map((trades) => rowOf(place, 'embedded', trades, 5)),
        ],
  close: () => place[Symbol.asyncDispose](),
};
