import { describe, expect, it, vi } from 'vitest';
import { Alarm } from '../../../src/pipeline/stream/alarm.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('Alarm', () => {
  it('wakes many with one timer, each once, at its deadline or at most 5 ms later', async () => {
    const clock = new ManualClock();
    const alarm = new Alarm(clock);
    const wokenAt: number[] = [];
    const deadlines = [1_000, 17, 16, 500, 500];
    for (const at of deadlines) alarm.wakeBy(at, () => wokenAt.push(clock.monotonic()));
    await clock.advance(0);
    expect(clock.sleepers).toBe(1);
    await clock.advance(10_000);
    expect(wokenAt).toEqual([20, 20, 500, 500, 1_000]);
  });

  it('keeps the earliest deadline of a sleeper and none once it is cancelled', async () => {
    const clock = new ManualClock();
    const alarm = new Alarm(clock);
    const [stays, leaves] = [vi.fn(), vi.fn()];
    for (const at of [300, 100, 200]) alarm.wakeBy(at, stays);
    alarm.wakeBy(50, leaves);
    alarm.cancel(leaves);
    await clock.advance(1_000);
    expect(stays).toHaveBeenCalledOnce();
    expect(leaves).not.toHaveBeenCalled();
    alarm.wakeBy(2_000, leaves);
    alarm.cancel(leaves);
    await clock.advance(0);
    expect(clock.sleepers).toBe(0);
  });
});
