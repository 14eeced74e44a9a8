import fc from 'fast-check';
import { expect, it } from 'vitest';
import { completenessOf } from '../../src/market/candle.ts';
import { type CandleInterval, windowAt } from '../../src/market/candle-window.ts';
import { coverageIntervals } from '../../src/market/coverage-intervals.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { DeliveryMode } from '../../src/pipeline/stream/delivery.ts';
import { turn } from '../support/manual-clock.ts';
import { tradeOf } from '../support/trades.ts';
import { BEGIN, CandleClient, CandleScene, SYMBOL } from './candle-scene.ts';

/** What an exchange made: mostly a second apart, sometimes in one millisecond, sometimes quiet for long, now and then out of order. */
const tape = fc.array(
  fc.record({
    after: fc.constantFrom(0, 0, 1, 400, 1_000, 1_000, 7_000, 61_000, 400_000),
    back: fc.constantFrom(0, 0, 0, 0, 1, 900),
    price: fc.constantFrom('100', '99.5', '100.10', '0.000001', '12345678901234.5'),
    size: fc.constantFrom('1', '0.25', '3.0000'),
    side: fc.constantFrom('buy' as const, 'sell' as const),
  }),
  { minLength: 1, maxLength: 60 },
);

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('live' as const), count: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('miss' as const), count: fc.integer({ min: 1, max: 6 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('backfill' as const), count: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('give up' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('store' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 999, 2_001, 60_000, 600_000) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const), reads: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  ),
  { maxLength: 40, size: 'max' },
);

const settle = async () => {
  for (let left = 12; left > 0; left -= 1) await turn();
};

/** A schedule that never gets there proves nothing; the last line looks. */
const sometimes = { revised: 0, resumed: 0, closed: 0, complete: 0, fromStorage: 0 };

it('tells candles that equal those of the stored trades, each closed once, through gaps, backfills, cursors and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(
      tape,
      steps,
      fc.constantFrom<CandleInterval>('1s', '10s', '1m', '5m', '1h'),
      fc.constantFrom<DeliveryMode>('LOSSLESS', 'CONFLATE'),
      fc.boolean(),
      async (made, schedule, interval, mode, includeForming) => {
        const scene = new CandleScene(16);
        await scene.clock.advance(3_600_000);
        let time = BEGIN;
        const trades = made.map(({ after, back, ...fields }, k): Trade => {
          time += after;
          return tradeOf(k + 1, {
            ...fields,
            price: decimal(fields.price),
            size: decimal(fields.size),
            exchangeTime: time - back,
          });
        });
        let next = 0;
        let resumed = false;
        const missed: Trade[] = [];
        const client = new CandleClient(scene, {
          interval,
          includeForming,
          delivery: { mode, maxBatchMs: 0, maxPerSecond: null },
        });
        await settle();
        for (const step of schedule) {
          if (step.do === 'live' || step.do === 'miss') {
            const some = trades.slice(next, next + step.count);
            next += some.length;
            const newest = Math.max(...some.map(({ exchangeTime }) => exchangeTime), scene.clock.now());
            await scene.clock.advance(newest - scene.clock.now());
            if (step.do === 'live') scene.record(some);
            else missed.push(...some);
          }
          if (step.do === 'backfill') scene.record(missed.splice(0, step.count), 'BACKFILL');
          if (step.do === 'give up' && missed[0]) {
            const [gone] = missed.splice(0, 1) as [Trade];
            const id = BigInt(gone.tradeId);
            const open = scene.ledgers.find('okx', SYMBOL)?.open ?? [];
            if (open.some(({ first, last }) => first <= id && id <= last)) scene.giveUp(id, id);
          }
          if (step.do === 'store') scene.stored = scene.shown.length;
          if (step.do === 'pass') await scene.clock.advance(step.ms);
          if (step.do === 'read') client.reads = step.reads;
          if (step.do === 'restart') scene.restart();
          if (step.do === 'restart' || step.do === 'reconnect') {
            await client.leave();
            client.connect();
            resumed = true;
            sometimes.resumed += client.cursor === null ? 0 : 1;
          }
          await settle();
        }
        client.reads = true;
        scene.stored = scene.shown.length;
        for (let left = 5; left > 0; left -= 1) {
          await scene.clock.advance(1_000);
          await settle();
        }
        expect(client.failure).toBeNull();

        const windows = { interval, timeZone: 'UTC', anchor: null };
        const ledger = scene.ledgers.find('okx', SYMBOL)?.stretches ?? [];
        for (const { type, candle } of client.candles.values()) {
          const { openTime, closeTime } = candle;
          const traded = { openTime, closeTime, values: scene.byHand(candle) };
          expect(candle.values).toEqual(traded.values);
          const [said] = completenessOf([traded], coverageIntervals(ledger, { from: openTime, to: closeTime }));
          // What is learnt of a candle that gets no trade is told to those who saw it close; a claim is true for all.
          const isTold = !resumed && closeTime <= scene.clock.now() - 2_010;
          if (isTold || candle.state === 'FINAL') expect(said?.completeness).toBe(candle.completeness);
          sometimes.revised += type === 'REVISED' ? 1 : 0;
          sometimes.complete += candle.completeness === 'COMPLETE' ? 1 : 0;
        }
        // Every candle since the beginning, once.
        const first = [...client.closed.keys()].map((key) => Number(key.split(' ')[1])).sort((a, b) => a - b)[0];
        for (let at = first ?? scene.clock.now(); at <= scene.clock.now() - 2_010; at = windowAt(windows, at).closeTime)
          expect([at, client.closed.get(`${SYMBOL} ${at}`)]).toEqual([at, 1]);
        // And every trade is in a candle the client knows, unless it came into one that was closed before the client began.
        for (const { trade } of scene.shown) {
          const { closeTime } = windowAt(windows, trade.exchangeTime);
          if (first !== undefined && closeTime >= first && (includeForming || closeTime <= scene.clock.now() - 2_010))
            expect(client.candles.has(`${SYMBOL} ${closeTime}`)).toBe(true);
        }
        sometimes.closed += client.closed.size;
        sometimes.fromStorage += scene.reads;
        await client.leave();
        expect(scene.followers).toBe(0);
      },
    ),
    { numRuns: Number(process.env.CANDLE_RUNS ?? 60) },
  );
  for (const [what, times] of Object.entries(sometimes)) expect([what, times > 0]).toEqual([what, true]);
}, 1_200_000);
