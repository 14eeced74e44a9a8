import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BINANCE_INTERVALS, OKX_INTERVALS } from '../../src/simulator/interval.ts';
import { countAt, fillAt, openTape } from '../../src/simulator/tape.ts';
import { candleAt, emptyCandle, foldCandle } from '../../src/simulator/tape-candle.ts';

const tape = openTape({ seed: 'candles', exchange: 'okx', symbol: 'BTC-USDT', rate: 3 });
const minute = OKX_INTERVALS.get('1m');
if (minute === undefined) throw new Error('OKX has 1m candles');
const opens = fc.nat(3_000_000).map((minutes) => tape.startTime + minutes * 60_000);

describe('a candle of the tape', () => {
  it('is what its trades make it', () => {
    fc.assert(
      fc.property(opens, (openTime) => {
        const candle = candleAt(tape, minute, openTime);
        const fills = Array.from({ length: candle.next - candle.first }, (_, i) => fillAt(tape, candle.first + i));
        expect(fills.length).toBeGreaterThan(100);
        expect(fills.every(({ time }) => time >= openTime && time < candle.closeTime)).toBe(true);
        expect(fillAt(tape, candle.first - 1).time).toBeLessThan(openTime);
        expect(fillAt(tape, candle.next).time).toBeGreaterThanOrEqual(candle.closeTime);
        const prices = fills.map(({ ticks }) => ticks);
        expect(candle.open).toBe(prices[0]);
        expect(candle.close).toBe(prices.at(-1));
        expect(candle.high).toBe(Math.max(...prices));
        expect(candle.low).toBe(Math.min(...prices));
        expect(candle.lots).toBe(fills.reduce((sum, { lots }) => sum + lots, 0));
        expect(candle.quote).toBe(fills.reduce((sum, { ticks, lots }) => sum + BigInt(ticks) * BigInt(lots), 0n));
        expect(candle.buyQuote).toBe(
          fills.reduce((sum, { ticks, lots, buy }) => sum + (buy ? BigInt(ticks) * BigInt(lots) : 0n), 0n),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('is the same folded in steps', () => {
    fc.assert(
      fc.property(opens, fc.integer({ min: 1, max: 40 }), (openTime, step) => {
        let candle = emptyCandle(tape, minute, openTime);
        const end = candleAt(tape, minute, openTime).next;
        for (let count = candle.first; count < end + step; count += step) candle = foldCandle(tape, candle, count);
        expect(candle).toEqual(candleAt(tape, minute, openTime));
      }),
      { numRuns: 20 },
    );
  });

  it('without trades is flat at the last price', () => {
    const quiet = openTape({ seed: 'quiet', exchange: 'okx', symbol: 'BTC-USDT', rate: 0.001 });
    const last = fillAt(quiet, countAt(quiet, fillAt(quiet, 99).time) - 1);
    const candle = candleAt(quiet, minute, minute.openOf(last.time) + 60_000);
    expect(candle).toMatchObject({ open: last.ticks, high: last.ticks, low: last.ticks, close: last.ticks, lots: 0 });
  });
});

describe('intervals', () => {
  const noon = Date.UTC(2026, 10, 25, 12, 34, 56);
  it.each([
    ['1m', '2026-11-25T12:34:00Z', '2026-11-25T12:35:00Z'],
    ['6H', '2026-11-25T10:00:00Z', '2026-11-25T16:00:00Z'],
    ['6Hutc', '2026-11-25T12:00:00Z', '2026-11-25T18:00:00Z'],
    ['1Dutc', '2026-11-25T00:00:00Z', '2026-11-26T00:00:00Z'],
    ['1D', '2026-11-24T16:00:00Z', '2026-11-25T16:00:00Z'],
    ['1Wutc', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    ['1Mutc', '2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'],
    ['1M', '2026-10-31T16:00:00Z', '2026-11-30T16:00:00Z'],
  ])('OKX %s covers %s to %s', (name, open, close) => {
    const interval = OKX_INTERVALS.get(name);
    expect(interval?.openOf(noon)).toBe(Date.parse(open));
    expect(interval?.closeOf(Date.parse(open))).toBe(Date.parse(close));
  });

  it('of Binance are all in UTC', () => {
    expect(BINANCE_INTERVALS.get('6h')?.openOf(noon)).toBe(Date.parse('2026-11-25T12:00:00Z'));
    expect(BINANCE_INTERVALS.get('1w')?.openOf(noon)).toBe(Date.parse('2026-11-23T00:00:00Z'));
  });
});
