import { describe, expect, it, vi } from 'vitest';
import { decimal } from '../../../src/market/decimal.ts';
import type { LiveKind, LiveRequest } from '../../../src/pipeline/live/live-event.ts';
import { LiveFeed } from '../../../src/pipeline/live/live-feed.ts';
import { DEFAULT_DELIVERY, type Delivery } from '../../../src/pipeline/stream/delivery.ts';
import { QueueRegistry } from '../../../src/runtime/bounded-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aBook, aTicker } from '../market-data.ts';

function openFeed() {
  const clock = new ManualClock();
  const queues = new QueueRegistry();
  const feed = new LiveFeed({ clock, queues });
  const subscribe = <K extends LiveKind>(
    kind: K,
    filter: LiveRequest<K>['filter'] = {},
    delivery: Partial<Delivery> = {},
  ) => feed.subscribe({ kind, filter, delivery: { ...DEFAULT_DELIVERY, ...delivery } });
  return { clock, queues, feed, subscribe };
}

const lasts = (events: readonly { readonly last: unknown }[] | undefined) => events?.map(({ last }) => last);

describe('LiveFeed', () => {
  it('gives a new subscriber the present state first, then what follows', async () => {
    const { feed, subscribe } = openFeed();
    feed.publish(aTicker({ last: decimal('1') }));
    feed.publish(aTicker({ last: decimal('2') }));
    feed.publish(aTicker({ symbol: 'ETH-USDT', last: decimal('3') }));
    const stream = subscribe('ticker');
    expect(lasts((await stream.next()).value?.events)).toEqual(['2', '3']);
    const next = stream.next();
    feed.publish(aTicker({ last: decimal('4') }));
    expect(lasts((await next).value?.events)).toEqual(['4']);
  });

  it('keeps kinds, exchanges and symbols apart', async () => {
    const { feed, subscribe } = openFeed();
    const stream = subscribe('ticker', { exchange: 'okx', symbols: ['BTC-USDT'] });
    feed.publish(aBook());
    feed.publish(aTicker({ exchange: 'binance' }));
    feed.publish(aTicker({ symbol: 'ETH-USDT' }));
    feed.publish(aTicker({ last: decimal('9') }));
    expect(lasts((await stream.next()).value?.events)).toEqual(['9']);
  });

  it('answers the present state of one instrument', () => {
    const { feed } = openFeed();
    expect(feed.latest('orderbook', 'okx', 'BTC-USDT')).toBeNull();
    const stale = aBook({ validity: 'STALE' });
    feed.publish(aBook());
    feed.publish(stale);
    expect(feed.latest('orderbook', 'okx', 'BTC-USDT')).toBe(stale);
  });

  it.each(['LOSSLESS', 'DROP_OLDEST'] as const)('tells a slow %s subscriber how much it missed', async (mode) => {
    const { feed, subscribe, queues } = openFeed();
    const stream = subscribe('orderbook', {}, { mode });
    for (let i = 1; i <= 100; i += 1) feed.publish(aBook({ sequence: i }));
    const { value } = await stream.next();
    expect(value?.events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 64 }, (_, i) => i + 37));
    expect(value?.notices).toEqual([{ type: 'LAGGED', missed: 36 }]);
    feed.publish(aBook());
    expect((await stream.next()).value?.notices).toEqual([]);
    expect(queues.list()).toEqual([
      { name: 'orderbook subscribers', capacity: 64, in: 101, out: 65, dropped: 36, held: 0 },
    ]);
  });

  it('gives a CONFLATE subscriber the newest of each instrument and counts the others', async () => {
    const { feed, subscribe } = openFeed();
    const stream = subscribe('ticker', {}, { mode: 'CONFLATE' });
    for (let i = 1; i <= 5_000; i += 1)
      feed.publish(aTicker({ symbol: i % 2 ? 'BTC-USDT' : 'ETH-USDT', last: decimal(String(i)) }));
    const { value } = await stream.next();
    expect(lasts(value?.events)).toEqual(['4999', '5000']);
    expect(value).toMatchObject({ conflated: 4_998, notices: [] });
  });

  it('spaces payloads and lets events wait for company as asked', async () => {
    const { clock, feed, subscribe } = openFeed();
    const stream = subscribe('ticker', {}, { maxPerSecond: 2, maxBatchMs: 20, mode: 'CONFLATE' });
    const told = vi.fn();
    void stream.next().then(told);
    feed.publish(aTicker());
    await clock.advance(15);
    expect(told).not.toHaveBeenCalled();
    await clock.advance(5);
    expect(told).toHaveBeenCalledOnce();
    void stream.next().then(told);
    feed.publish(aTicker());
    await clock.advance(495);
    expect(told).toHaveBeenCalledOnce();
    await clock.advance(5);
    expect(told).toHaveBeenCalledTimes(2);
  });

  it('settles a waiting next() as soon as the subscriber leaves, and forgets it and its queue', async () => {
    const { feed, subscribe, queues } = openFeed();
    const stream = subscribe('balance');
    const next = stream.next();
    await stream.return();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(feed.subscribers).toBe(0);
    expect(queues.list()).toEqual([{ name: 'balance subscribers', capacity: 0, in: 0, out: 0, dropped: 0, held: 0 }]);
  });

  it('ends every subscription when it is disposed', async () => {
    const { feed, subscribe } = openFeed();
    const waiting = [subscribe('ticker').next(), subscribe('candle').next()];
    feed[Symbol.dispose]();
    expect(await Promise.all(waiting)).toEqual([{ done: true }, { done: true }]);
  });
});
