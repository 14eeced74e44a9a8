import { expect, it } from 'vitest';
import { GrowingCandle } from '../../src/market/growing-candle.ts';
import { candleByHand, type Recorded } from '../support/candle-by-hand.ts';
import { tradeOf } from '../support/trades.ts';

const WINDOW = { openTime: 0, closeTime: 60_000 };

it.each([
  ['one after the other', [70_000, 70_000, 80_000, 80_000]],
  ['by a clock that was set back in between', [90_000, 80_000, 80_000, 85_000]],
])('a growing candle counts a recording once, %s', (_how, recordings) => {
  const all: Recorded[] = recordings.map((recordedAt, k) => ({
    ...{ trade: tradeOf(k + 1, { exchangeTime: 1_000 + k }), recordedAt },
  }));
  const growing = new GrowingCandle(WINDOW, null);
  for (const [k, one] of all.entries())
    growing.add({ ...one, writer: 1, sequence: BigInt(k + 1), provenance: 'BACKFILL' });
  expect(growing.values).toEqual(candleByHand(all, WINDOW, { endInclusive: false, asOf: null }));
});
