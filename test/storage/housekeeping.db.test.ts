import { expect, it } from 'vitest';
import { Housekeeping, type HousekeepingOptions } from '../../src/housekeeping.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { openTestDatabase } from '../support/database.ts';
import { scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 15);
const RETENTION = 730 * DAY;

type Gap = ReturnType<HousekeepingOptions['gaps']['openGaps']>[number];

/** A gap of the first month, and what became of it. */
function oneGap() {
  const givenUp: string[] = [];
  const gap = { from: START, to: START + 1_000 } as Gap;
  const gaps: HousekeepingOptions['gaps'] = {
    *openMarkets() {
      yield { exchange: 'okx', symbol: 'BTC-USDT' };
    },
    openGaps: () => [gap],
    giveUp: (_exchange, _symbol, _gap, reason) => givenUp.push(reason) > 0,
  };
  return { gaps, givenUp };
}

it('drops nothing, lets no gap go and says so once while the clock is doubted, and goes on when trades confirm it', async () => {
  let now = START;
  const clock = { ...systemClock, now: () => now };
  await using db = await openTestDatabase({ clock });
  await using writer = await openTestWriter(db, { clock });
  const { trade } = scene();
  const said: string[] = [];
  const log: Log = { ...silentLog, error: (message) => said.push(message), info: (message) => said.push(message) };
  const { gaps, givenUp } = oneGap();
  using house = new Housekeeping({ db, gaps, retentionMs: RETENTION, auditRetentionMs: RETENTION, clock, log });
  await house.run();
  expect([house.refused, givenUp, said]).toEqual([null, [], []]);

  now = Date.UTC(2027, 0, 15);
  await house.run();
  await house.run();
  expect(house.refused).toContain('our clock says 2027-01-15');
  expect([givenUp, said]).toEqual([[], ['Retention drops nothing']]);

  await writer.write([toRecord(trade(1, { exchangeTime: now - 1_000 }))]);
  await house.run();
  expect([house.refused, givenUp]).toEqual([null, ['older than retention keeps']]);
  expect(said).toEqual(['Retention drops nothing', 'Retention dropped partitions']);
});
