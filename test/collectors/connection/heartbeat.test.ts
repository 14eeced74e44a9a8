import { describe, expect, it } from 'vitest';
import { live, trade, trades } from '../../support/hand-connection.ts';

/** A socket that brought five trades a second for a while. */
async function busy() {
  const made = await live(trades);
  let id = 0;
  const trading = async (seconds: number) => {
    for (let fifth = 0; fifth < seconds * 5; fifth++) {
      await made.clock.advance(200);
      made.newest().say(trade(String(++id)));
    }
  };
  await trading(20);
  const pings = () => made.first.sent.filter((text) => text === 'ping').length;
  return { ...made, trading, pings };
}

describe('a socket from which nothing comes at all', () => {
  it('is pinged early when it was busy, and given up when that is not answered: within twelve seconds', async () => {
    const { clock, first, sockets, pings } = await busy();
    await clock.advance(6_500);
    expect(pings()).toBe(1);
    expect(first.state).toBe('open');
    await clock.advance(5_500);
    expect(first.state).toBe('closed');
    await clock.advance(1_000);
    expect(sockets).toHaveLength(2);
  });

  it('is pinged only after the ping interval when it was never busy', async () => {
    const { clock, first } = await live(trades);
    await clock.advance(24_000);
    expect(first.sent.filter((text) => text === 'ping')).toHaveLength(0);
    await clock.advance(2_000);
    expect(first.sent.filter((text) => text === 'ping')).toHaveLength(1);
    await clock.advance(9_000);
    expect(first.state).toBe('open');
  });

  it('lives as long as it answers, and is asked less and less: quiet has become its rhythm', async () => {
    const { clock, first, sockets, pings } = await busy();
    const run = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        const before = pings();
        await clock.advance(1_000);
        if (pings() > before) first.say('pong');
      }
    };
    await run(600);
    expect(sockets).toHaveLength(1);
    const before = pings();
    await run(600);
    expect(pings() - before).toBeLessThanOrEqual(26);
  });

  it('is not given up for a standstill of our own, whose length is no rhythm either', async () => {
    const { clock, first, sockets, trading, pings } = await busy();
    await clock.advance(6_500);
    expect(pings()).toBe(1);
    await clock.standStill(30_000);
    await trading(3);
    expect(first.state).toBe('open');
    expect(sockets).toHaveLength(1);
    await clock.standStill(120_000);
    await trading(3);
    await clock.advance(6_500);
    expect(pings()).toBe(2);
  });

  it('is not given up while bytes of a frame still trickle in', async () => {
    const { clock, first, sockets, pings } = await busy();
    for (let second = 0; second < 120; second++) {
      first.bytesRead += 10;
      await clock.advance(1_000);
    }
    expect(pings()).toBe(1);
    expect(sockets).toHaveLength(1);
    await clock.advance(7_000);
    expect(first.state).toBe('closed');
  });
});
