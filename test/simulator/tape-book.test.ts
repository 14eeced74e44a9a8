import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTape } from '../../src/simulator/tape.ts';
import { bookAt, changeTowards, type Level, sequenceAt, stepAt, stepTime } from '../../src/simulator/tape-book.ts';

const tape = openTape({ seed: 'books', exchange: 'okx', symbol: 'ETH-USDT', rate: 50 });
const steps = fc.nat(4_000_000_000);

const apply = (side: readonly Level[], changes: readonly Level[], ascending: boolean): readonly Level[] => {
  const levels = new Map(side.map((level) => [level.ticks, level]));
  for (const change of changes) {
    if (change.lots === 0) levels.delete(change.ticks);
    else levels.set(change.ticks, change);
  }
  return [...levels.values()].sort((a, b) => (ascending ? a.ticks - b.ticks : b.ticks - a.ticks));
};

describe('the order book of the tape', () => {
  it('is sorted, full and never crossed', () => {
    fc.assert(
      fc.property(steps, (step) => {
        const { bids, asks } = bookAt(tape, step);
        expect(bids.length).toBe(400);
        expect(asks.length).toBe(400);
        expect(
          bids.every((level, i) => level.lots > 0 && level.ticks < (bids[i - 1]?.ticks ?? Number.POSITIVE_INFINITY)),
        ).toBe(true);
        expect(asks.every((level, i) => level.lots > 0 && level.ticks > (asks[i - 1]?.ticks ?? 0))).toBe(true);
        expect(bids[0]?.ticks).toBeLessThan(asks[0]?.ticks ?? 0);
      }),
      { numRuns: 50 },
    );
  });

  it('is reached by a change from where it starts and from any book on the way', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), fc.nat(40), (step, later, between) => {
        const change = changeTowards(tape, bookAt(tape, step), step + later);
        const to = bookAt(tape, step + later);
        expect(change.bids.length + change.asks.length).toBeGreaterThan(0);
        expect(change.to).toEqual(to);
        const start = bookAt(tape, step + Math.min(between, later));
        expect(apply(start.bids, change.bids, false)).toEqual(to.bids);
        expect(apply(start.asks, change.asks, true)).toEqual(to.asks);
      }),
      { numRuns: 30 },
    );
  });

  it('is reached in several changes when it is far', () => {
    const start = bookAt(tape, 1000);
    const first = changeTowards(tape, start, 1070);
    expect(first.to.step).toBe(1040);
    expect(changeTowards(tape, first.to, 1070)).toMatchObject({ from: 1040, to: bookAt(tape, 1070) });
    expect(changeTowards(tape, start, 1000)).toEqual({ from: 1000, to: start, bids: [], asks: [] });
  });

  it('has a rising sequence with uneven steps', () => {
    fc.assert(
      fc.property(steps, (step) => {
        expect(sequenceAt(tape, step + 1)).toBeGreaterThan(sequenceAt(tape, step));
      }),
    );
    const jumps = Array.from({ length: 50 }, (_, step) => sequenceAt(tape, step + 1) - sequenceAt(tape, step));
    expect(new Set(jumps).size).toBeGreaterThan(3);
  });

  it('belongs to a moment', () => {
    fc.assert(
      fc.property(steps, (step) => {
        expect(stepAt(tape, stepTime(tape, step))).toBe(step);
      }),
    );
  });
});
