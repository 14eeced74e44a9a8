import { describe, expect, it, vi } from 'vitest';
import { WakeUp, wakeEach } from '../../../src/pipeline/stream/wake-up.ts';
import { ManualClock, turn } from '../../support/manual-clock.ts';

describe('WakeUp', () => {
  it('wakes everybody once however often it is asked in a turn', async () => {
    const members = new Set([{ wake: vi.fn() }, { wake: vi.fn() }]);
    const wakeUp = new WakeUp(() => wakeEach(members), new ManualClock());
    wakeUp.ask();
    wakeUp.ask();
    await turn();
    for (const { wake } of members) expect(wake).toHaveBeenCalledOnce();
  });

  it('goes round again when it is asked on the way', async () => {
    const wake = vi.fn(() => wake.mock.calls.length === 1 && wakeUp.ask());
    const wakeUp = new WakeUp(() => wakeEach(new Set([{ wake }])), new ManualClock());
    wakeUp.ask();
    await turn();
    expect(wake).toHaveBeenCalledTimes(2);
  });

  it('spreads a long round over turns of the event loop, and wakes those who are still there', async () => {
    const clock = new ManualClock();
    let time = 0;
    vi.spyOn(clock, 'monotonic').mockImplementation(() => time);
    const woken: number[] = [];
    const members = Array.from({ length: 128 }, (_, i) => ({
      wake: () => {
        woken.push(i);
        time += 0.1;
      },
    }));
    const present = new Set<{ wake(): void }>(members);
    new WakeUp(() => wakeEach(present), clock).ask();
    await Promise.resolve();
    expect(woken.length).toBe(64);
    for (const leaving of members.slice(-1)) present.delete(leaving);
    await vi.waitFor(() => expect(woken.length).toBe(127));
  });
});
