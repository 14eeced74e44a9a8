import { describe, expect, it, vi } from 'vitest';
import type { Gap } from '../../../src/market/gap-ledger.ts';
import { TradeFeed } from '../../../src/pipeline/feed/trade-feed.ts';
import type { TradeRequest } from '../../../src/pipeline/feed/trade-request.ts';
import { LiveFeed } from '../../../src/pipeline/live/live-feed.ts';
import { DEFAULT_DELIVERY, type Delivery } from '../../../src/pipeline/stream/delivery.ts';
import { QueueRegistry } from '../../../src/runtime/bounded-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aTicker } from '../market-data.ts';
import { MemoryTradeStore, someTrades } from '../memory-trade-store.ts';

function openFeed() {
  const clock = new ManualClock();
  const store = new MemoryTradeStore();
  const feed = new TradeFeed({ history: store, clock, position: store.positions, capacity: 64 });
  const record = (count: number) => feed.publish(store.commit(1, someTrades(count)));
  const subscribe = ({ filter = {}, after = null, ...delivery }: Partial<TradeRequest & Delivery> = {}) =>
    feed.subscribe({ filter, after, delivery: { ...DEFAULT_DELIVERY, ...delivery } });
  return { clock, feed, record, subscribe };
}

const gapOf = (fields: Partial<Gap> = {}): Gap => ({
  ...{ exchange: 'okx', symbol: 'BTC-USDT', dataType: 'trade', first: 11n, last: 20n, foundAt: 1, from: 0, to: 9 },
  ...{ cause: 'slept', status: 'GAP', expected: 10n, filled: 0n, unfillable: 0n, ...fields },
});
const closed = { filled: 10n, status: 'BACKFILLED' } as const;

describe('a subscriber of trades', () => {
  it('is told of a gap of its markets when it is found and when it is closed, not of each step between', async () => {
    const { feed, subscribe } = openFeed();
    const stream = subscribe({ filter: { exchange: 'okx', symbols: ['BTC-USDT'], side: 'buy' } });
    feed.gapChanged(gapOf());
    expect((await stream.next()).value?.notices).toEqual([{ type: 'GAP', gap: gapOf() }]);
    for (const filled of [1n, 5n, 9n]) feed.gapChanged(gapOf({ filled }));
    feed.gapChanged(gapOf(closed));
    expect((await stream.next()).value).toMatchObject({ trades: [], notices: [{ type: 'GAP', gap: closed }] });
  });

  it('is told the last word only of a gap that was found and closed while it did not read', async () => {
    const { feed, record, subscribe } = openFeed();
    const stream = subscribe();
    feed.gapChanged(gapOf());
    feed.gapChanged(gapOf({ first: 31n, last: 40n }));
    feed.gapChanged(gapOf(closed));
    record(1);
    const { value } = await stream.next();
    expect(value?.trades).toHaveLength(1);
    expect(value?.notices).toMatchObject([{ gap: { first: 31n } }, { gap: closed }]);
  });

  it('is told nothing of the gaps of others, nor of other data', async () => {
    const { clock, feed, subscribe } = openFeed();
    const told = vi.fn();
    void subscribe({ filter: { exchange: 'okx', symbols: ['BTC-USDT'] } })
      .next()
      .then(told);
    feed.gapChanged(gapOf({ exchange: 'binance' }));
    feed.gapChanged(gapOf({ symbol: 'ETH-USDT' }));
    feed.gapChanged(gapOf({ dataType: 'candle' }));
    await clock.advance(5_000);
    expect(told).not.toHaveBeenCalled();
  });

  it('keeps a bounded number of notices while it does not read', async () => {
    const { feed, subscribe } = openFeed();
    const stream = subscribe();
    for (let first = 1n; first <= 5_000n; first += 1n) feed.gapChanged(gapOf({ first, last: first }));
    const { value } = await stream.next();
    expect(value?.notices.length).toBeLessThanOrEqual(256);
    expect(value?.notices.at(-1)).toMatchObject({ gap: { first: 5_000n } });
  });

  it.each([
    { mode: 'LOSSLESS' },
    { mode: 'CONFLATE' },
    { mode: 'DROP_OLDEST' },
    { maxPerSecond: 1 },
    { maxBatchMs: 10_000 },
  ] as const)('is told once that the server goes away, at once, with %j', async (delivery) => {
    const { clock, feed, record, subscribe } = openFeed();
    const stream = subscribe(delivery);
    const told = vi.fn();
    void stream.next().then(told);
    record(1);
    await clock.advance(0);
    feed.drain();
    feed.drain();
    await clock.advance(0);
    if (told.mock.calls[0]?.[0].value.notices.length === 0) void stream.next().then(told);
    await clock.advance(0);
    expect(told.mock.calls.flatMap(([{ value }]) => value.notices)).toEqual([{ type: 'DRAINING' }]);
  });
});

it('a subscriber of other data is told once, at once, that the server goes away', async () => {
  const clock = new ManualClock();
  const feed = new LiveFeed({ clock, queues: new QueueRegistry() });
  const stream = feed.subscribe({ kind: 'ticker', filter: {}, delivery: { ...DEFAULT_DELIVERY, maxPerSecond: 1 } });
  feed.publish(aTicker());
  await stream.next();
  const told = vi.fn();
  void stream.next().then(told);
  feed.drain();
  feed.drain();
  await clock.advance(0);
  expect(told.mock.calls[0]?.[0].value).toEqual({ events: [], notices: [{ type: 'DRAINING' }], conflated: 0 });
});
