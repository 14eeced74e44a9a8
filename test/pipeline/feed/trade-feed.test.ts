import { describe, expect, it, vi } from 'vitest';
import { decimal } from '../../../src/market/decimal.ts';
import { edgePositions } from '../../../src/pipeline/feed/cursor.ts';
import { TradeFeed } from '../../../src/pipeline/feed/trade-feed.ts';
import type { TradeRequest } from '../../../src/pipeline/feed/trade-request.ts';
import { DEFAULT_DELIVERY, type Delivery } from '../../../src/pipeline/stream/delivery.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { ManualClock, turn } from '../../support/manual-clock.ts';
import { MemoryTradeStore, someTrades } from '../memory-trade-store.ts';

function openFeed(capacity = 64) {
  const clock = new ManualClock();
  const store = new MemoryTradeStore();
  const feed = new TradeFeed({ history: store, clock, position: store.positions, capacity });
  const record = (...args: Parameters<typeof someTrades>) => {
    const recorded = store.commit(1, someTrades(...args));
    feed.publish(recorded);
    return recorded;
  };
  const subscribe = ({ filter = {}, after = null, ...delivery }: Partial<TradeRequest & Delivery> = {}) =>
    feed.subscribe({ filter, after, delivery: { ...DEFAULT_DELIVERY, ...delivery } });
  return { clock, store, feed, record, subscribe };
}

const sequences = (trades: readonly { readonly sequence: bigint }[] | undefined) =>
  trades?.map(({ sequence }) => Number(sequence));

describe('TradeFeed', () => {
  it('gives a waiting subscriber a trade in the turn it is published', async () => {
    const { record, subscribe } = openFeed();
    const next = subscribe().next();
    record(2);
    const { value } = await next;
    expect(value).toMatchObject({ phase: 'LIVE', notices: [], conflated: 0, position: new Map([[1, 2n]]) });
    expect(sequences(value?.trades)).toEqual([1, 2]);
  });

  it('starts from now without a cursor', async () => {
    const { record, subscribe } = openFeed();
    record(3);
    const stream = subscribe();
    record(1);
    expect(sequences((await stream.next()).value?.trades)).toEqual([4]);
  });

  it('gives those who ask for the same at the same place one batch, and whoever lags behind all that is his', async () => {
    const { record, subscribe } = openFeed();
    const [first, second, other, late] = [
      subscribe(),
      subscribe(),
      subscribe({ filter: { side: 'buy' } }),
      subscribe(),
    ];
    for (const count of [2, 3]) {
      const waiting = [first, second, other].map((stream) => stream.next());
      record(count);
      const [one, two, three] = (await Promise.all(waiting)).map(({ value }) => value);
      expect(one).toBe(two);
      expect(three).not.toBe(one);
    }
    const { value } = await late.next();
    expect(sequences(value?.trades)).toEqual([1, 2, 3, 4, 5]);
    expect(value?.before).toEqual(new Map());
    const waiting = [late, first].map((stream) => stream.next());
    record(1);
    const [one, two] = (await Promise.all(waiting)).map((step) => step.value);
    expect(one).toBe(two);
    expect(one?.before).toEqual(value?.position);
  });

  it('shares no batch with a subscriber that has something else to be told, or a pace of its own', async () => {
    const { feed, record, subscribe } = openFeed();
    const [plain, paced] = [subscribe(), subscribe({ maxPerSecond: 10 })];
    const waiting = [plain, paced].map((stream) => stream.next());
    record(1);
    const [one, two] = (await Promise.all(waiting)).map(({ value }) => value);
    expect(two).toEqual(one);
    expect(two).not.toBe(one);
    const next = plain.next();
    record(1);
    await next;
    feed.drain();
    const resumed = subscribe({ after: one?.position ?? null });
    expect((await resumed.next()).value).toMatchObject({ notices: [{ type: 'CAUGHT_UP' }] });
    expect((await plain.next()).value).toMatchObject({ trades: [], notices: [{ type: 'DRAINING' }] });
  });

  it('settles a waiting next() as soon as the subscriber leaves, and forgets it', async () => {
    const { feed, subscribe, clock } = openFeed();
    const stream = subscribe({ filter: { symbols: ['NOBODY-TRADES'] } });
    const next = stream.next();
    await stream.return();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(feed.subscribers).toBe(0);
    expect(clock.sleepers).toBe(0);
  });

  it('leaves no timer behind for a subscriber that left before its payload was due', async () => {
    const { record, subscribe, clock } = openFeed();
    const stream = subscribe({ maxBatchMs: 50 });
    void stream.next();
    record(1);
    await clock.advance(10);
    expect(clock.sleepers).toBe(1);
    await stream.return();
    await clock.advance(0);
    expect(clock.sleepers).toBe(0);
  });

  it('settles a waiting next() while storage is being read', async () => {
    const { store, record, subscribe, clock } = openFeed(4);
    record(20);
    const stream = subscribe({ after: new Map() });
    const next = stream.next();
    await stream.return();
    expect(await next).toEqual({ value: undefined, done: true });
    await clock.advance(1_000);
    expect(store.reads).toBe(1);
  });

  it('replays from storage, then says it caught up with the batch that gets there', async () => {
    const { record, subscribe } = openFeed(4);
    record(2_500);
    const stream = subscribe({ after: new Map([[1, 100n]]) });
    const batches = [];
    for (let batch = await stream.next(); !batch.done; batch = await stream.next()) {
      batches.push(batch.value);
      if (batch.value.phase === 'LIVE') break;
    }
    expect(batches.map(({ trades, phase }) => [trades.length, phase])).toEqual([
      [1_000, 'REPLAY'],
      [1_000, 'REPLAY'],
      [400, 'LIVE'],
    ]);
    expect(batches.flatMap(({ notices }) => notices)).toEqual([{ type: 'CAUGHT_UP' }]);
    expect(sequences(batches.flatMap(({ trades }) => trades))).toEqual(
      Array.from({ length: 2_400 }, (_, i) => i + 101),
    );
  });

  it('resumes from the ring without touching storage where the ring still has everything', async () => {
    const { store, record, subscribe } = openFeed();
    record(10);
    const { value } = await subscribe({ after: new Map([[1, 7n]]) }).next();
    expect(sequences(value?.trades)).toEqual([8, 9, 10]);
    expect(store.reads).toBe(0);
  });

  it('answers a cursor that is already at the end at once', async () => {
    const { record, subscribe } = openFeed();
    record(3);
    const { value } = await subscribe({ after: new Map([[1, 3n]]) }).next();
    expect(value).toMatchObject({ trades: [], phase: 'LIVE', notices: [{ type: 'CAUGHT_UP' }] });
  });

  it('moves the position once a second where nothing matches', async () => {
    const { record, subscribe, clock } = openFeed();
    const stream = subscribe({ filter: { exchange: 'kraken' } });
    const told = vi.fn();
    void stream.next().then(told);
    record(5);
    await clock.advance(900);
    expect(told).not.toHaveBeenCalled();
    await clock.advance(105);
    expect(told.mock.calls[0]?.[0].value).toMatchObject({ trades: [], position: new Map([[1, 5n]]) });
  });

  it('stays silent where nothing happens', async () => {
    const { subscribe, clock } = openFeed();
    const told = vi.fn();
    void subscribe().next().then(told);
    await clock.advance(60_000);
    expect(told).not.toHaveBeenCalled();
    expect(clock.sleepers).toBe(0);
  });

  it('lets trades wait for company no longer than maxBatchMs', async () => {
    const { record, subscribe, clock } = openFeed();
    const next = subscribe({ maxBatchMs: 20 }).next();
    record(1);
    await clock.advance(15);
    record(1);
    await clock.advance(5);
    expect(sequences((await next).value?.trades)).toEqual([1, 2]);
  });

  it('sends no more payloads a second than asked for', async () => {
    const { record, subscribe, clock } = openFeed();
    const stream = subscribe({ maxPerSecond: 4 });
    const sizes: number[] = [];
    const readOn = async () => {
      for await (const { trades } of stream) sizes.push(trades.length);
    };
    void readOn();
    for (let ms = 0; ms < 990; ms += 10) {
      record(1);
      await clock.advance(10);
    }
    expect(sizes).toEqual([1, 24, 25, 25]);
  });

  it('tells a DROP_OLDEST subscriber how many matching trades are gone, without asking storage', async () => {
    const { store, record, subscribe } = openFeed(16);
    const stream = subscribe({ mode: 'DROP_OLDEST', filter: { side: 'sell' } });
    for (let i = 0; i < 50; i += 1) record(1, { side: i % 2 ? 'sell' : 'buy' });
    const { value } = await stream.next();
    const kept = sequences(value?.trades) ?? [];
    expect(kept.at(-1)).toBe(50);
    expect(value?.notices).toEqual([{ type: 'LAGGED', missed: 25 - kept.length }]);
    expect(kept.length).toBeGreaterThan(3);
    expect(store.reads).toBe(0);
  });

  it('gives a CONFLATE subscriber the newest of each instrument, also of one the ring has long let go', async () => {
    const { store, record, subscribe } = openFeed(16);
    const stream = subscribe({ mode: 'CONFLATE' });
    record(3, { symbol: 'ETH-USDT' });
    record(200, { symbol: 'BTC-USDT' });
    const { value } = await stream.next();
    expect(sequences(value?.trades)).toEqual([3, 203]);
    expect(value?.conflated).toBe(201);
    expect(store.reads).toBe(0);
  });

  it('does not let a backfilled trade pass for the newest', async () => {
    const { record, subscribe } = openFeed();
    const stream = subscribe({ mode: 'CONFLATE' });
    record(1, { exchangeTime: 1_000 });
    expect(sequences((await stream.next()).value?.trades)).toEqual([1]);
    record(1, { exchangeTime: 500 });
    record(1, { exchangeTime: 1_001 });
    expect((await stream.next()).value).toMatchObject({ trades: [{ sequence: 3n }], conflated: 1 });
  });

  it('ends a replay with the error when storage cannot be read', async () => {
    const { store, record, subscribe, feed } = openFeed(4);
    record(20);
    store.readFailure = new AppError('DATABASE_UNAVAILABLE', 'The database does not answer');
    const stream = subscribe({ after: new Map() });
    await expect(stream.next()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(feed.subscribers).toBe(0);
  });

  it('waits for storage that has not stored yet what the ring let go', async () => {
    const { clock, store, feed, subscribe } = openFeed(4);
    const late = store.commit(1, someTrades(20));
    const visible = store.log.splice(10);
    const stream = subscribe();
    feed.publish(late);
    const first = await stream.next();
    const told = vi.fn();
    void stream.next().then(told);
    await clock.advance(500);
    expect(told).not.toHaveBeenCalled();
    for (let i = 0; i < 50; i += 1) await turn();
    expect(store.reads).toBeLessThan(10);
    store.log.push(...visible);
    await clock.advance(200);
    await vi.waitFor(() => expect(told).toHaveBeenCalled());
    expect(sequences(first.value?.trades)).toHaveLength(10);
    expect(sequences(told.mock.calls[0]?.[0].value.trades)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  });

  it('publishes a repeated trade once', async () => {
    const { feed, store, subscribe } = openFeed();
    const stream = subscribe();
    const recorded = store.commit(1, someTrades(3));
    feed.publish(recorded.slice(0, 2));
    feed.publish(recorded);
    expect(sequences((await stream.next()).value?.trades)).toEqual([1, 2, 3]);
    expect(feed.held).toBe(3);
  });

  it('filters by exchange, symbol, side and exact size', async () => {
    const { record, subscribe } = openFeed();
    const filter = { exchange: 'okx', symbols: ['BTC-USDT'], side: 'buy', minSize: decimal('0.30') } as const;
    const stream = subscribe({ filter });
    record(1, { exchange: 'binance' });
    record(1, { symbol: 'ETH-USDT' });
    record(1, { side: 'sell' });
    record(1, { size: decimal('0.29999999999999999999') });
    record(1, { size: decimal('0.3') });
    expect(sequences((await stream.next()).value?.trades)).toEqual([5]);
  });

  it('lets every edge of a batch be resumed from', async () => {
    const { record, subscribe } = openFeed();
    const stream = subscribe();
    record(4);
    const { value } = await stream.next();
    const third = value && edgePositions(value)[2];
    expect(sequences((await subscribe({ after: third ?? null }).next()).value?.trades)).toEqual([4]);
  });

  it('looks at a long backlog in several turns of the event loop', async () => {
    const { record, subscribe } = openFeed(65_536);
    const stream = subscribe({ filter: { exchange: 'kraken' }, after: new Map() });
    record(40_000);
    const immediate = vi.spyOn(globalThis, 'setImmediate');
    const { value } = await stream.next();
    expect(value?.position).toEqual(new Map([[1, 40_000n]]));
    expect(immediate.mock.calls.length).toBe(4);
    immediate.mockRestore();
  });

  it.each([
    [{ maxBatchMs: -1 }, 'maxBatchMs'],
    [{ maxBatchMs: 1e9 }, 'maxBatchMs'],
    [{ maxPerSecond: 0 }, 'maxPerSecond'],
    [{ maxPerSecond: 0.5 }, 'maxPerSecond'],
  ])('refuses the delivery %j', (delivery, named) => {
    const { feed, subscribe } = openFeed();
    expect(() => subscribe(delivery)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining(named) }),
    );
    expect(feed.subscribers).toBe(0);
  });

  it('ends every subscription when it is disposed', async () => {
    const { feed, subscribe } = openFeed();
    const waiting = [subscribe().next(), subscribe({ mode: 'CONFLATE' }).next()];
    feed[Symbol.dispose]();
    expect(await Promise.all(waiting)).toEqual([{ done: true }, { done: true }]);
  });
});
