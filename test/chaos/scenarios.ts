import { candleStreams } from './candle-streams.ts';
import { candles } from './candles.ts';
import { disconnects } from './disconnects.ts';
import { kill9 } from './kill9.ts';
import { liveness } from './liveness.ts';
import { outage } from './outage.ts';
import { postgres } from './postgres.ts';
import { restartOne } from './restart-one.ts';
import { type Row, row } from './scenario.ts';
import { simulation } from './simulation.ts';
import { storm } from './storm.ts';

/** Each in two sizes: what the product promises, and a few seconds of the same. */
export const SCENARIOS = {
  simulation: row('simulation', simulation, {
    does: 'runs the pipeline in virtual time under a thousand schedules of faults',
    pain: 'faults that meet once in a thousand times',
    needs: 'any',
    full: { schedules: 1_000 },
    short: { schedules: 40 },
    counted: (schedules) => ({ schedules }),
  }),
  candles: row('candles', candles, {
    does: 'asks a hundred thousand questions about candles of random markets, and answers each by hand as well',
    pain: 'ccxt #26946, freqtrade #12507, timescaledb #5806: candles that are wrong at an edge, or know the future',
    needs: 'any',
    full: { cases: 100_000 },
    short: { cases: 1_500 },
    counted: (cases) => ({ cases }),
  }),
  kill9: row('kill9', kill9, {
    does: 'kills the server at its crash points and at random, again and again, under load',
    pain: 'a crash that loses what was shown',
    needs: 'any',
    full: { kills: 100, rate: 100 },
    short: { kills: 5, rate: 50 },
    counted: (kills) => ({ kills }),
  }),
  postgres: row('postgres', postgres, {
    does: 'kills Postgres in the middle of commits, and keeps it away for two minutes',
    pain: 'cryptofeed #336, cryptostore #53: trouble with the database drops batches',
    needs: 'own postgres',
    full: { kills: 40, rate: 100, awayMs: 120_000 },
    short: { kills: 3, rate: 50, awayMs: 4_000 },
    counted: (kills) => ({ kills }),
  }),
  liveness: row('liveness', liveness, {
    does: 'breaks connections in ways that are seen and in ways that are not, and lets a market be quiet for ten minutes',
    pain: 'cryptofeed #893, ccxt #22194: sockets that stay open without data',
    needs: 'any',
    full: { repetitions: 5, rate: 25, quietMs: 600_000 },
    short: { repetitions: 1, rate: 25, quietMs: 3_000, only: ['reset', 'muteOne'] },
    counted: (repetitions) => ({ repetitions }),
  }),
  outage: row('outage', outage, {
    does: 'puts the exchange out of reach for a minute at 400 trades/s, with its REST limits when it is back',
    pain: 'ccxt #26945, ccxt #28385, cryptofeed #797: trades missed on reconnect',
    needs: 'postgres',
    full: { rate: 100, outageMs: 60_000 },
    short: { rate: 100, outageMs: 4_000 },
    counted: (seconds) => ({ outageMs: seconds * 1_000 }),
  }),
  'restart-one': row('restart-one', restartOne, {
    does: 'restarts one collector again and again at 1,000 messages/s, beside three that must not notice',
    pain: 'restarting one stream loses data of the others',
    needs: 'any',
    full: { restarts: 100, rate: 250 },
    short: { restarts: 15, rate: 250 },
    counted: (restarts) => ({ restarts }),
  }),
  'candle-streams': row('candle-streams', candleStreams, {
    does: 'follows candles of two million trades through gaps, backfills and killed servers, and compares them with the query',
    pain: 'nautilus_trader #4594, vega #9642: candles of a stream that are not those of the history',
    needs: 'any',
    full: { trades: 2_000_000, rate: 1_000, cuts: 40, kills: 2 },
    short: { trades: 8_000, rate: 100, cuts: 3, kills: 1 },
    counted: (trades) => ({ trades }),
  }),
  disconnects: row('disconnects', disconnects, {
    does: 'cuts subscribers 500 times and kills their server 20 times',
    pain: 'graphql-ws #90: streams that cannot resume',
    needs: 'any',
    full: { disconnects: 500, kills: 20, rate: 50, servers: 1 },
    short: { disconnects: 20, kills: 2, rate: 50, servers: 1 },
    counted: (disconnects) => ({ disconnects }),
  }),
  'two-writers': row('two-writers', disconnects, {
    does: 'the same with two servers that write to one database',
    pain: 'hasura #8632: rows of concurrent writers are skipped',
    needs: 'postgres',
    full: { disconnects: 200, kills: 8, rate: 50, servers: 2 },
    short: { disconnects: 12, kills: 2, rate: 50, servers: 2 },
    counted: (disconnects) => ({ disconnects }),
  }),
  storm: row('storm', storm, {
    does: 'everything at once, as chance has it: the server, its Postgres, the exchange and the subscribers',
    pain: 'faults that come together',
    needs: 'own postgres',
    full: { rounds: 150, rate: 50, servers: 1 },
    short: { rounds: 4, rate: 50, servers: 1 },
    counted: (rounds) => ({ rounds }),
  }),
  'storm-of-two': row('storm-of-two', storm, {
    does: 'the same with two servers that write to one database',
    pain: 'hasura #8632: rows of concurrent writers are skipped',
    needs: 'own postgres',
    full: { rounds: 100, rate: 50, servers: 2 },
    short: { rounds: 2, rate: 50, servers: 2, only: ['serverKilled', 'exchangeCut'] },
    counted: (rounds) => ({ rounds }),
  }),
} as const satisfies Record<string, Row>;
