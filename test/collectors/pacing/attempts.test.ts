import { describe, expect, it } from 'vitest';
import { Attempts } from '../../../src/collectors/pacing/attempts.ts';
import { backoffMs } from '../../../src/collectors/pacing/backoff.ts';
import { Rejections } from '../../../src/collectors/rejections.ts';
import { ManualClock } from '../../support/manual-clock.ts';

it('the wait before a retry is jittered over the whole of a doubling, capped range', () => {
  expect([0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, 5_000, () => 1))).toEqual([
    250, 500, 1_000, 2_000, 5_000, 5_000,
  ]);
  expect(backoffMs(10, 5_000, () => 0)).toBe(0);
  expect(backoffMs(10, 5_000, () => 0.5)).toBe(2_500);
});

describe('attempts', () => {
  const make = (max = 1_000, capMs = 60_000) => {
    const clock = new ManualClock();
    return { clock, attempts: new Attempts({ clock, random: () => 1, capMs, max }) };
  };
  const lose = ({ attempts }: ReturnType<typeof make>) => {
    attempts.failed();
    return attempts.waitMs;
  };

  it('wait longer after every break, also when each socket greets us first', () => {
    const made = make();
    const waits = [1, 2, 3].map(() => {
      made.attempts.answered();
      made.attempts.data();
      return lose(made);
    });
    expect(waits).toEqual([250, 500, 1_000]);
    expect(made.attempts.failures).toBe(1);
  });

  it('begin anew after half a minute of data, counted on one socket', async () => {
    const made = make();
    lose(made);
    for (const [seconds, wait] of [
      [20, 500],
      [20, 1_000],
      [31, 250],
    ] as const) {
      made.attempts.data();
      await made.clock.advance(seconds * 1_000);
      expect(lose(made)).toBe(wait);
    }
  });

  it('wait two seconds at most for an exchange that gives data for a while each time', async () => {
    const made = make();
    const waits: number[] = [];
    for (let time = 0; time < 20; time++) {
      made.attempts.data();
      await made.clock.advance(2_000);
      waits.push(lose(made));
    }
    expect(Math.max(...waits)).toBe(2_000);
  });

  it('are used up by sockets that bring no data, and come half a minute to a minute apart when the exchange took those', () => {
    const made = make(2);
    for (let time = 0; time < 3; time++) {
      expect(made.attempts.usedUp).toBe(false);
      made.attempts.opened();
      made.attempts.failed();
    }
    expect(made.attempts.usedUp).toBe(true);
    expect(made.attempts.waitMs).toBe(60_000);
    made.attempts.opened();
    made.attempts.data();
    expect(lose(made)).toBeLessThan(5_000);
    expect(made.attempts.usedUp).toBe(false);
  });

  it('make an exchange that nobody reaches away for a tenth longer at most, beyond the cap', async () => {
    const made = make(2, 5_000);
    const sawOnce = new Set<boolean>();
    for (let away = 0; away < 3_600_000; away = made.clock.monotonic()) {
      const wait = lose(made);
      expect(wait).toBeLessThanOrEqual(Math.max(5_000, Math.min(away * 0.1, 60_000)) + 0.001);
      sawOnce.add(wait === 60_000);
      await made.clock.advance(wait);
    }
    expect(made.attempts.usedUp).toBe(true);
    expect([...sawOnce]).toEqual([false, true]);
  });

  it('wait at once when the exchange turns us away by name, and for as long as it says', () => {
    const made = make();
    made.attempts.failed({ forMs: 0 });
    expect(made.attempts.waitMs).toBe(60_000);
    made.attempts.failed({ forMs: 120_000 });
    expect(made.attempts.waitMs).toBe(120_000);
    expect(made.attempts.usedUp).toBe(false);
  });
});

it('rejections are counted by a bounded number of reasons, each with its newest case cut short', () => {
  const rejections = new Rejections();
  for (let reason = 0; reason < 40; reason++) rejections.add(`reason ${reason}`, `${reason} `.repeat(300));
  rejections.add('reason 0', 'again');
  expect(rejections.list()).toHaveLength(33);
  expect(rejections.list()[0]).toEqual({ reason: 'reason 0', count: 2, sample: 'again' });
  expect(rejections.list().at(-1)).toMatchObject({ reason: 'other', count: 8 });
  expect(rejections.list().at(-1)?.sample).toHaveLength(300);
});
