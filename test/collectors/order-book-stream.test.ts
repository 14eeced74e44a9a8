import { describe, expect, it } from 'vitest';
import { OrderBookStream } from '../../src/collectors/order-book-stream.ts';
import type { BookChange } from '../../src/exchanges/adapter.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { OrderBook } from '../../src/market/market-event.ts';
import { ManualClock } from '../support/manual-clock.ts';

type Snapshot = BookChange & { readonly type: 'snapshot' };

const base = { exchangeTime: 1, receivedAt: 2, checksum: null };
const level = (price: number, size: number) => [decimal(String(price)), decimal(String(size))] as const;
const snapshot = (sequence: number | null, bid = 10, ask = 11): Snapshot => ({
  ...base,
  type: 'snapshot',
  sequence,
  bids: [level(bid, 1)],
  asks: [level(ask, 1)],
});
const delta = (previous: number | null, sequence: number | null, bidSize = 2): BookChange => ({
  ...base,
  type: 'delta',
  previous,
  sequence,
  bids: [level(10, bidSize)],
  asks: [],
});

function open(
  bookRecovery: 'resubscribe' | 'rest-snapshot',
  options: { checksum?: () => number; snapshots?: Snapshot[] } = {},
) {
  const clock = new ManualClock();
  const published: OrderBook[] = [];
  const troubles: string[] = [];
  let resubscribed = 0;
  let fetched = 0;
  const stream = new OrderBookStream({
    exchange: 'okx',
    symbol: 'BTC-USDT',
    adapter: { bookRecovery, ...(options.checksum ? { bookChecksum: options.checksum } : {}) },
    clock,
    random: () => 0.5,
    fetchSnapshot: async () => {
      const next = options.snapshots?.[fetched++];
      if (!next) throw new Error('REST is down');
      return next;
    },
    resubscribe: () => {
      resubscribed += 1;
    },
    publish: (book) => published.push(book),
    trouble: (reason) => troubles.push(reason),
  });
  return {
    stream,
    clock,
    published,
    troubles,
    last: () => published.at(-1),
    counts: () => ({ resubscribed, fetched }),
  };
}

describe('an order book that is chained by sequence', () => {
  it('is VALID from a snapshot on and follows what continues it', () => {
    const { stream, last } = open('resubscribe');
    stream.accept(snapshot(100));
    stream.accept(delta(100, 107));
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 107, bids: [['10', '2']] });
  });

  it('says of each state whether it follows the one before it by the sequence', () => {
    const { stream, published } = open('resubscribe');
    stream.accept(snapshot(100));
    stream.accept(delta(100, 107));
    stream.growOld();
    stream.accept(delta(107, 109));
    stream.accept(snapshot(200));
    stream.accept(delta(200, 201));
    stream.accept(delta(300, 301));
    const { stream: unnumbered, published: plain } = open('resubscribe');
    unnumbered.accept(snapshot(null));
    unnumbered.accept(delta(null, null));
    expect(published.map(({ validity, chained }) => `${validity} ${chained}`)).toEqual([
      ...['VALID false', 'VALID true', 'STALE false', 'VALID true', 'VALID false', 'VALID true', 'RESYNCING false'],
    ]);
    expect(plain.map(({ chained }) => chained)).toEqual([false, false]);
  });

  it('takes a keep-alive and a repeated change for what they are', () => {
    const { stream, published, troubles } = open('resubscribe');
    stream.accept(snapshot(100));
    stream.accept({ ...delta(100, 100), bids: [] });
    stream.accept(delta(100, 107));
    stream.accept(delta(100, 107));
    expect(troubles).toEqual([]);
    expect(published.at(-1)?.sequence).toBe(107);
  });

  it('accepts a sequence that falls, as after maintenance, as long as the chain holds', () => {
    const { stream, last } = open('resubscribe');
    stream.accept(snapshot(100));
    stream.accept(delta(100, 3));
    stream.accept(delta(3, 9));
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 9 });
  });

  it('is RESYNCING and empty at once when the chain breaks, and VALID again with the next snapshot', async () => {
    const { stream, clock, last, counts } = open('resubscribe');
    stream.accept(snapshot(100));
    stream.accept(delta(101, 105));
    expect(last()).toMatchObject({ validity: 'RESYNCING', bids: [], asks: [] });
    await clock.advance(1);
    expect(counts().resubscribed).toBe(1);
    stream.accept(snapshot(200));
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 200 });
  });

  it('is asked for again ever later while it breaks at once, and at once after it held', async () => {
    const { stream, clock, counts } = open('resubscribe');
    const breakAfter = (sequence: number) => {
      stream.accept(snapshot(sequence));
      stream.accept(delta(sequence + 1, sequence + 2));
    };
    breakAfter(100);
    await clock.advance(1);
    breakAfter(200);
    await clock.advance(1);
    expect(counts().resubscribed).toBe(1);
    await clock.advance(1_000);
    expect(counts().resubscribed).toBe(2);
    stream.accept(snapshot(300));
    stream.accept(delta(300, 301));
    stream.accept(delta(400, 401));
    await clock.advance(1);
    expect(counts().resubscribed).toBe(3);
  });

  it('is never VALID while it is crossed', () => {
    const { stream, published, troubles } = open('resubscribe');
    stream.accept(snapshot(100, 12, 11));
    expect(published.map((book) => book.validity)).toEqual(['RESYNCING']);
    expect(troubles).toEqual(['book-crossed']);
  });

  it('is STALE with its last levels when the socket is gone', () => {
    const { stream, last } = open('resubscribe');
    stream.accept(snapshot(100));
    stream.lost();
    expect(last()).toMatchObject({ validity: 'STALE', bids: [['10', '1']] });
  });
});

describe('an order book that is seeded by REST', () => {
  it('bridges the buffered changes onto the snapshot', async () => {
    const { stream, clock, last } = open('rest-snapshot', { snapshots: [snapshot(105)] });
    stream.accept(delta(99, 103, 7));
    stream.accept(delta(103, 108, 8));
    await clock.advance(1);
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 108, bids: [['10', '8']] });
    stream.accept(delta(108, 110, 9));
    expect(last()).toMatchObject({ sequence: 110, bids: [['10', '9']] });
  });

  it('fetches again when the snapshot is older than the first buffered change', async () => {
    const { stream, clock, last, counts } = open('rest-snapshot', { snapshots: [snapshot(50), snapshot(100)] });
    stream.accept(delta(99, 103));
    await clock.advance(1);
    await clock.advance(1_000);
    expect(counts().fetched).toBe(2);
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 103 });
  });

  it('goes on trying while REST is down', async () => {
    const { stream, clock, troubles, counts } = open('rest-snapshot', { snapshots: [] });
    stream.accept(delta(99, 103));
    for (let turn = 0; turn < 5; turn++) await clock.advance(10_000);
    expect(counts().fetched).toBeGreaterThan(3);
    expect(troubles).toContain('book-snapshot');
  });

  it('ignores a change older than the book and starts over after a gap', async () => {
    const { stream, clock, last } = open('rest-snapshot', { snapshots: [snapshot(105), snapshot(130)] });
    stream.accept(delta(104, 106));
    await clock.advance(1);
    stream.accept(delta(100, 104));
    expect(last()?.sequence).toBe(106);
    stream.accept(delta(120, 125));
    expect(last()?.validity).toBe('RESYNCING');
    await clock.advance(1_000);
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 130 });
  });

  it('keeps a bounded number of changes while REST is slow, and a snapshot that is too old for them is of no use', async () => {
    const { stream, clock, last, counts } = open('rest-snapshot', { snapshots: [snapshot(400), snapshot(1_400)] });
    for (let at = 0; at < 1_500; at++) stream.accept(delta(at, at + 1));
    await clock.advance(10_000);
    expect(counts().fetched).toBe(2);
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 1_500 });
  });

  it('fetches nothing for a socket that is gone', async () => {
    const { stream, clock, counts } = open('rest-snapshot', { snapshots: [snapshot(105)] });
    stream.accept(delta(99, 103));
    stream.lost();
    await clock.advance(60_000);
    expect(counts().fetched).toBe(0);
    expect(clock.sleepers).toBe(0);
  });

  it('uses a snapshot of the stream itself when one comes first', async () => {
    const { stream, clock, last, counts } = open('resubscribe', { snapshots: [snapshot(1)] });
    stream.accept(delta(99, 103));
    await clock.advance(500);
    stream.accept(snapshot(103));
    await clock.advance(5_000);
    expect(counts().fetched).toBe(0);
    expect(last()?.sequence).toBe(103);
  });

  it('falls back to REST when no snapshot comes on the stream', async () => {
    const { stream, clock, last } = open('resubscribe', { snapshots: [snapshot(103)] });
    stream.accept(delta(99, 103));
    await clock.advance(3_000);
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 103 });
  });
});

it('holds a live checksum against the book, and takes none for none', () => {
  const { stream, last } = open('resubscribe', { checksum: () => 7 });
  stream.accept({ ...snapshot(null), checksum: 7 });
  stream.accept(delta(null, null));
  expect(last()?.validity).toBe('VALID');
  stream.accept({ ...delta(null, null), checksum: 8 });
  expect(last()?.validity).toBe('RESYNCING');
});
