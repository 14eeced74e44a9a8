import { describe, expect, it } from 'vitest';
import type { StreamChange } from '../../../src/collectors/watch/stream-set.ts';
import { HandCollector } from '../../support/hand-collector.ts';
import { handMarket } from '../../support/hand-market.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const told = (changes: readonly StreamChange[]) =>
  changes.map(({ dataType, carried }) => `${dataType} ${carried ? 'begins' : 'ends'}`);

describe('the data of a type', () => {
  it('is carried from its subscription to the loss of its socket, and again from the next one', async () => {
    const { manager, collector, run, open, clock } = handMarket(['trade', 'ticker']);
    const changes: StreamChange[] = [];
    collector.onStreamChange((change) => changes.push(change));
    void manager.start();
    await run(3);
    expect(told(changes).toSorted()).toEqual(['ticker begins', 'trade begins']);
    changes.length = 0;
    const business = open().find(({ url }) => url.endsWith('business'));
    business?.say('pong');
    const lastSignAt = clock.now();
    await clock.advance(700);
    business?.cut();
    await run(3);
    expect(changes).toEqual([
      { dataType: 'trade', carried: false, at: lastSignAt, cause: expect.stringContaining('closed with 1006') },
      { dataType: 'trade', carried: true, at: expect.any(Number), cause: 'subscribed' },
    ]);
    expect(changes[1]?.at).toBeGreaterThan(lastSignAt + 700);
  });

  it('ends when the collector stops, and nobody is told any more who does not want to be', async () => {
    const { manager, collector, run } = handMarket(['trade']);
    const changes: StreamChange[] = [];
    const listening = collector.onStreamChange((change) => changes.push(change));
    void manager.start();
    await run(3);
    await collector.stop();
    expect(told(changes)).toEqual(['trade begins', 'trade ends']);
    expect(changes.at(-1)?.cause).toBe('stopped');
    listening[Symbol.dispose]();
    void collector.start();
    await run(3);
    expect(changes).toHaveLength(2);
  });

  it('ends with its last message when its channel is found mute and is subscribed again', async () => {
    const market = handMarket(['trade']);
    const changes: StreamChange[] = [];
    void market.manager.start();
    await market.run(10, market.trade, 200);
    market.collector.onStreamChange((change) => changes.push(change));
    const lastMessageAt = market.stream('trade')?.lastMessageAt?.getTime();
    market.muted.channel = 'trades-all';
    await market.run(7, market.trade, 200);
    expect(changes).toEqual([
      { dataType: 'trade', carried: false, at: lastMessageAt, cause: expect.stringContaining('the feed is mute') },
      { dataType: 'trade', carried: true, at: expect.any(Number), cause: 'subscribed' },
    ]);
  });

  it('is carried without a break while it moves to the next socket', async () => {
    const { manager, collector, run, open, sockets } = handMarket(['trade']);
    void manager.start();
    await run(3);
    const changes: StreamChange[] = [];
    collector.onStreamChange((change) => changes.push(change));
    open()[0]?.say({ event: 'notice', code: '64008', msg: 'upgrade' });
    await run(10);
    expect(sockets.map(({ state }) => state)).toEqual(['closed', 'open']);
    expect(changes).toEqual([]);
  });

  it('is interrupted when the old socket ends before the next one has answered, although no reconnect shows', async () => {
    const { manager, collector, run, open, clock, sockets } = handMarket(['trade']);
    void manager.start();
    await run(3);
    const changes: StreamChange[] = [];
    const states: string[] = [];
    collector.onStreamChange((change) => changes.push(change));
    collector.onStateChange(({ state }) => states.push(state));
    const [old] = open();
    old?.say({ event: 'notice', code: '64008', msg: 'upgrade' });
    await clock.advance(500);
    sockets.at(-1)?.open();
    old?.cut();
    expect(told(changes)).toEqual(['trade ends']);
    await run(2);
    expect(told(changes)).toEqual(['trade ends', 'trade begins']);
    expect(states).toEqual([]);
  });

  it('is carried while it runs, of a collector that knows no channels', async () => {
    const collector = new HandCollector(new ManualClock());
    const changes: StreamChange[] = [];
    collector.onStreamChange((change) => changes.push(change));
    await collector.start();
    await collector.stop();
    expect(told(changes)).toEqual(['trade begins', 'trade ends']);
  });
});
