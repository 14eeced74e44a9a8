import { expect, it } from 'vitest';
import { assessDay } from '../../src/candles/data-quality.ts';
import type { Stretch } from '../../src/market/coverage.ts';
import { decimal } from '../../src/market/decimal.ts';
import { aCandle } from '../pipeline/market-data.ts';
import type { Recorded } from '../support/candle-by-hand.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryCandles } from '../support/memory-candles.ts';
import { tradeOf } from '../support/trades.ts';

const DAY = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;
const at = (hours: number) => DAY + hours * HOUR;

const stretch = (first: number, last: number, from: number, to: number, over: Partial<Stretch> = {}): Stretch => ({
  ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', first: BigInt(first), last: BigInt(last) },
  ...{ from: at(from), to: at(to), actual: last - first + 1, cause: null, gap: null, gapFoundAt: null, ...over },
});
const missing = (gap: number, status: 'GAP' | 'UNFILLABLE' | 'BACKFILLED') =>
  ({ status, gap: BigInt(gap), gapFoundAt: DAY, evidence: 'REST_RECONCILED' }) as const;

/** Of the first twelve hours of a day. */
async function assess(recorded: readonly Recorded[], stretches: readonly Stretch[], ends: readonly number[] = []) {
  const ports = memoryCandles(
    () => recorded,
    () => stretches,
    new ManualClock(at(12)),
  );
  const theirs = new Map(ends.map((end) => [end, aCandle({ openTime: end - 60_000, closeTime: end })]));
  return assessDay(ports, { exchange: 'okx', symbol: 'BTC-USDT', from: DAY, to: at(12), theirs });
}

it('tells how much of the time has which status, every status once', async () => {
  const { minutes, coverage } = await assess(
    [],
    [
      stretch(1, 5, -1, 3),
      stretch(6, 9, 3, 6, missing(6, 'GAP')),
      stretch(10, 12, 6, 9),
      stretch(13, 20, 9, 15, { status: 'UNPROVEN', evidence: 'CONNECTION_ONLY' }),
    ],
  );
  expect(minutes).toBe(720);
  const shares = Object.fromEntries(coverage.map(({ status, share }) => [status, share]));
  expect(Object.keys(shares)).toEqual(['PROVEN', 'UNPROVEN', 'GAP', 'BACKFILLED', 'UNFILLABLE']);
  expect(shares).toMatchObject({ BACKFILLED: 0, UNFILLABLE: 0, PROVEN: 0.499_999, UNPROVEN: 0.25, GAP: 0.25 });
});

it('counts what was missing and what became of it, gap by gap', async () => {
  const { repaired } = await assess(
    [],
    [
      stretch(1, 9, -2, 1),
      stretch(10, 13, 1, 2, missing(10, 'BACKFILLED')),
      stretch(14, 15, 2, 2.5, missing(10, 'GAP')),
      stretch(16, 19, 2.5, 4),
      stretch(20, 29, 4, 5, missing(20, 'BACKFILLED')),
      stretch(30, 39, 5, 6),
      stretch(40, 42, 6, 7, missing(40, 'UNFILLABLE')),
      stretch(43, 44, 7, 11),
      stretch(45, 45, 13, 14, missing(45, 'BACKFILLED')), // on the other side of the range
    ],
  );
  expect(repaired).toEqual({
    ...{ gaps: 3, gapsFilled: 1, tradesBackfilled: 14n, tradesMissing: 2n, tradesLost: 3n, candlesRevised: 0 },
  });
});

it('compares minute by minute and counts the candles that were revised', async () => {
  const price = { price: decimal('1'), size: decimal('10') };
  const trade = (id: number, time: number, late = 0): Recorded => ({
    trade: tradeOf(id, { ...price, exchangeTime: time }),
    recordedAt: time + late,
  });
  const end = at(1) + 60_000;
  const recorded = [trade(1, at(1)), trade(2, at(2), 5 * 60_000), trade(3, at(2) + 1), trade(4, at(3))];
  const { compared, onlyOurs, onlyTheirs, differences, repaired } = await assess(recorded, [], [end, at(5)]);
  expect({ compared, onlyOurs, onlyTheirs }).toEqual({ compared: 1, onlyOurs: 2, onlyTheirs: 1 });
  expect(differences).toMatchObject([{ ours: { closeTime: end }, fields: ['high', 'close'], verdict: 'UNDECIDED' }]);
  expect(repaired.candlesRevised).toBe(1);
});
