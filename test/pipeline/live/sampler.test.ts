import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal } from '../../../src/market/decimal.ts';
import type { BookLevel } from '../../../src/market/market-event.ts';
import type { LiveEvent } from '../../../src/pipeline/live/live-event.ts';
import { DEFAULT_SAMPLING, Sampler, type Sampling } from '../../../src/pipeline/live/sampler.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aBalance, aBook, aCandle, aTicker } from '../market-data.ts';

function openSampler(sampling: Partial<Sampling> = {}) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1)); // a multiple of every interval used here
  const kept: LiveEvent[] = [];
  const sampler = new Sampler(
    () => ({ ...DEFAULT_SAMPLING, ...sampling }),
    clock,
    (event) => kept.push(event),
  );
  const tick = (last: number) => sampler.accept(aTicker({ last: decimal(String(last)) }));
  const lasts = () => kept.map((event) => event.kind === 'ticker' && Number(event.last));
  return { clock, kept, sampler, tick, lasts };
}

describe('Sampler', () => {
  it('keeps the first of a burst at once and the last after its interval', async () => {
    const { clock, tick, lasts } = openSampler({ ticker: 5 });
    for (let i = 1; i <= 9; i += 1) {
      tick(i);
      await clock.advance(100);
    }
    expect(lasts()).toEqual([1]);
    await clock.advance(5_000);
    expect(lasts()).toEqual([1, 9]);
    await clock.advance(60_000);
    expect(lasts()).toEqual([1, 9]);
  });

  it('aligns intervals to the clock', async () => {
    const { clock, tick, lasts } = openSampler({ ticker: 10 });
    await clock.advance(9_900);
    tick(1);
    await clock.advance(200);
    tick(2);
    expect(lasts()).toEqual([1, 2]);
  });

  it('lets an event wait that comes before the last one of the ended interval was looked for', async () => {
    const { clock, tick, lasts } = openSampler({ ticker: 5 });
    clock.stepWall(100);
    tick(1);
    tick(2);
    await clock.advance(4_950);
    tick(3);
    expect(lasts()).toEqual([1, 2]);
    await clock.advance(5_250);
    expect(lasts()).toEqual([1, 2, 3]);
  });

  it('never keeps more than one an interval, and always ends with the newest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4_000), { size: 'max', maxLength: 60, minLength: 1 }), async (pauses) => {
        const { clock, kept, sampler, tick, lasts } = openSampler({ ticker: 3 });
        clock.stepWall(100); // intervals end between two looks of the sampler
        const intervals: number[] = [];
        for (const [i, pause] of pauses.entries()) {
          await clock.advance(pause);
          const before = kept.length;
          tick(i);
          if (kept.length > before) intervals.push(Math.floor(clock.now() / 3_000));
        }
        expect(new Set(intervals).size).toBe(intervals.length);
        expect(kept.length).toBeLessThanOrEqual(Math.floor((clock.monotonic() + 100) / 3_000) + 1);
        sampler[Symbol.dispose]();
        expect(lasts().at(-1)).toBe(pauses.length - 1);
        expect(clock.sleepers).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps every one where the interval is 0', () => {
    const { tick, lasts } = openSampler({ ticker: 0 });
    for (let i = 1; i <= 3; i += 1) tick(i);
    expect(lasts()).toEqual([1, 2, 3]);
  });

  it('samples every instrument and type by itself', () => {
    const { kept, sampler } = openSampler();
    const events = [aTicker(), aBook(), aTicker({ symbol: 'ETH-USDT' }), aTicker({ exchange: 'binance' })];
    for (const event of [...events, ...events]) sampler.accept(event);
    expect(kept).toEqual(events);
  });

  it('goes on after the wall clock was set back', async () => {
    const { clock, tick, lasts } = openSampler({ ticker: 5 });
    tick(1);
    clock.stepWall(-3_600_000);
    tick(2);
    tick(3);
    await clock.advance(5_250);
    expect(lasts()).toEqual([1, 2, 3]);
  });

  it('keeps valid books only, to the configured depth', () => {
    const { kept, sampler } = openSampler({ orderbook: 0, bookLevels: 2 });
    const levels: BookLevel[] = ['9', '8', '7'].map((price) => [decimal(price), decimal('1')]);
    sampler.accept(aBook({ validity: 'RESYNCING' }));
    sampler.accept(aBook({ validity: 'STALE' }));
    sampler.accept(aBook({ bids: levels, asks: levels.slice(0, 1) }));
    expect(kept).toEqual([aBook({ bids: levels.slice(0, 2), asks: levels.slice(0, 1) })]);
  });

  it('keeps closed candles once, and forming ones only where every update is asked for', () => {
    const forming = aCandle({ closed: false });
    const closed = aCandle();
    const next = aCandle({ openTime: 60_000, closeTime: 120_000 });
    for (const [formingCandles, expected] of [
      [false, [closed, next]],
      [true, [forming, closed, next]],
    ] as const) {
      const { kept, sampler } = openSampler({ formingCandles });
      for (const event of [forming, closed, closed, next]) sampler.accept(event);
      expect(kept).toEqual(expected);
    }
  });

  it('keeps every change of a balance and no repetition', () => {
    const { kept, sampler } = openSampler();
    const before = aBalance();
    const after = aBalance({ total: decimal('101') });
    const other = aBalance({ symbol: 'BTC', currency: 'BTC' });
    for (const event of [before, before, other, after, other, after, before]) sampler.accept(event);
    expect(kept).toEqual([before, other, after, before]);
  });
});
