import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Side } from '../../src/market/market-event.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { listTrades, listTradesOf } from '../../src/storage/trade-pages.ts';
import { useTestDatabase } from '../support/database.ts';
import { pageOf, sampleTrade, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();
const MONTH = Date.UTC(2026, 10, 1);
const RECORDED = Date.UTC(2026, 10, 3);
/** Of the last one nothing is stored. */
const SYMBOLS = ['A-USDT', 'B-USDT', 'C-USDT', 'D-USDT', 'NO-SUCH'];

/** Many trades a millisecond in each market, over the end of a month. */
const HISTORY = SYMBOLS.slice(0, -1).flatMap((symbol, market) =>
  Array.from({ length: 10 + market * 20 }, (_, k) =>
    sampleTrade(10 ** (k % 5) + k * 7, {
      symbol,
      exchangeTime: MONTH + Math.floor(k / 4) - 5,
      side: (k + market) % 3 === 0 ? 'buy' : 'sell',
    }),
  ),
);

beforeAll(async () => {
  let now = RECORDED;
  await using writer = await openTestWriter(db(), {
    clock: { ...systemClock, now: () => now },
  });
  for (let k = 0; k < 4; k += 1) {
    now = RECORDED + k * 1_000;
    await writer.write(HISTORY.filter((_, place) => place % 4 === k).map((one) => toRecord(one)));
  }
});

const time = fc.option(
  fc.integer({ min: -6, max: 12 }).map((ms) => new Date(MONTH + ms)),
  { nil: null, freq: 1 },
);
const key = fc.option(
  fc.constantFrom(...HISTORY).map(({ exchangeTime, tradeId }) => ({ exchangeTime, tradeId })),
  { nil: null, freq: 1 },
);
const query = fc.record({
  from: time,
  to: time,
  side: fc.constantFrom<Side | null>('buy', 'sell', null),
  asOf: fc.constantFrom(null, ...[-1, 0, 1_500, 9_000].map((ms) => new Date(RECORDED + ms))),
  order: fc.constantFrom('ASC' as const, 'DESC' as const),
  limit: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(4_000, 20_000)),
  after: key,
  before: key,
  fromEnd: fc.boolean(),
});

it('pages of several markets are those of each market alone, in any order, also of one nobody knows and of one asked for twice', async () => {
  const markets = fc.array(fc.constantFrom(...SYMBOLS), { minLength: 0, maxLength: 7 });
  let trades = 0;
  await fc.assert(
    fc.asyncProperty(markets, query, async (symbols, asked) => {
      const { exchange: _, symbol: __, ...conditions } = pageOf('', asked);
      const names = symbols.map((symbol) => ({ exchange: 'okx', symbol }));
      const together = await listTradesOf(db(), names, conditions);
      const alone = await Promise.all(symbols.map((symbol) => listTrades(db(), pageOf(symbol, asked))));
      expect(together).toEqual(alone);
      for (const page of together) trades += page.trades.lines.length;
    }),
    { numRuns: 200 },
  );
  expect(trades).toBeGreaterThan(1_000);
});
