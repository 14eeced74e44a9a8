import { expect, it, vi } from 'vitest';
import { OtherWriters } from '../../../src/pipeline/feed/other-writers.ts';
import { TradeFeed } from '../../../src/pipeline/feed/trade-feed.ts';
import { DEFAULT_DELIVERY } from '../../../src/pipeline/stream/delivery.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryTradeStore, someTrades } from '../memory-trade-store.ts';

function follow() {
  const clock = new ManualClock();
  const store = new MemoryTradeStore();
  const feed = new TradeFeed({ history: store, clock, position: store.positions });
  const stream = feed.subscribe({ filter: {}, after: null, delivery: DEFAULT_DELIVERY });
  const followers = new OtherWriters(feed, store, {
    clock,
    log: silentLog,
    active: false,
    othersWrite: async () => true,
  });
  return { clock, store, feed, stream, followers };
}

it('brings the trades of another server to subscribers of this one, each once beside its own', async () => {
  const { clock, store, feed, stream } = follow();
  const own = store.commit(1, someTrades(2));
  store.commit(2, someTrades(3));
  await clock.advance(500);
  feed.publish(own);
  await clock.advance(500);
  const { value } = await stream.next();
  expect(value?.trades.map(({ writer, sequence }) => `${writer}.${sequence}`).sort()).toEqual([
    '1.1',
    '1.2',
    '2.1',
    '2.2',
    '2.3',
  ]);
});

it('keeps what the feed holds over numbers whose trades another writer had stored', async () => {
  const { clock, store, feed, stream } = follow();
  feed.publish(store.commit(1, someTrades(2)));
  store.commit(2, someTrades(1));
  store.skip(2, 5);
  store.commit(2, someTrades(1));
  await clock.advance(500);
  await vi.waitFor(() => expect(feed.held).toBe(4));
  expect((await stream.next()).value?.trades).toHaveLength(4);
});

it('reads on after the database was away, and skips nothing', async () => {
  const { clock, store, stream } = follow();
  store.readFailure = new Error('away');
  store.commit(2, someTrades(3));
  await clock.advance(2_000);
  store.readFailure = null;
  await clock.advance(500);
  expect((await stream.next()).value?.trades).toHaveLength(3);
});

it('looks no more once disposed', async () => {
  const { clock, store, followers } = follow();
  followers[Symbol.dispose]();
  await clock.advance(5_000);
  expect(store.reads).toBe(0);
});
