import { describe, expect, it } from 'vitest';
import { CandleCursors } from '../../src/candles/candle-cursor.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import { DEFAULT_DELIVERY } from '../../src/pipeline/stream/delivery.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { turn } from '../support/manual-clock.ts';
import { tradeOf } from '../support/trades.ts';
import { BEGIN, CandleClient, CandleScene } from './candle-scene.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

/** Trade `id`, made so many ms after the beginning. */
const made = (id: number, at: number, price: string | number = id): Trade =>
  tradeOf(id, {
    exchangeTime: BEGIN + at,
    receivedAt: BEGIN + at,
    price: decimal(String(price)),
    size: decimal('0.5'),
  });

async function open(how: ConstructorParameters<typeof CandleClient>[1] = {}) {
  const scene = new CandleScene();
  await at(scene, -5 * SECOND, made(1, -5 * SECOND));
  scene.stored = 1;
  await at(scene, 0);
  const client = new CandleClient(scene, how);
  await at(scene, 5);
  return { scene, client };
}

/** Passes time up to so many ms after the beginning, and records. */
async function at(scene: CandleScene, ms: number, ...trades: readonly Trade[]): Promise<void> {
  await scene.clock.advance(BEGIN + ms - scene.clock.now());
  if (trades.length > 0) scene.record(trades);
  for (let left = 8; left > 0; left -= 1) await turn(); // as many as an answer of storage takes
}

describe('a stream of candles', () => {
  it('begins with the candle that is forming, with what was traded in it before', async () => {
    const scene = new CandleScene();
    await at(scene, 10 * SECOND, made(1, 5 * SECOND), made(2, 6 * SECOND));
    scene.stored = 2;
    await at(scene, 20 * SECOND);
    const client = new CandleClient(scene);
    await at(scene, 21 * SECOND);
    expect(client.take()).toEqual(['UPDATED 1 2 FORMING UNPROVEN r0']);
    await at(scene, 30 * SECOND, made(3, 30 * SECOND, '2.5'));
    expect(client.take()).toEqual(['UPDATED 1 2.5 FORMING UNPROVEN r0']);
    expect(client.candles.get(`BTC-USDT ${BEGIN + MINUTE}`)?.candle.values).toEqual(
      scene.byHand({ openTime: BEGIN, closeTime: BEGIN + MINUTE }),
    );
  });

  it('closes a candle with the first trade behind its end, complete when the ids prove it', async () => {
    const { scene, client } = await open();
    await at(scene, 59_999, made(2, 59_999));
    client.take();
    await at(scene, MINUTE + 100, made(3, MINUTE));
    expect(client.take()).toEqual(['CLOSED 1 2 FINAL COMPLETE r0', 'UPDATED 2 3 FORMING UNPROVEN r0']);
    await at(scene, MINUTE + 3 * SECOND);
    expect(client.take()).toEqual([]);
  });

  it('closes a candle by the clock, 2 s after its end, and says that it is proven when a trade proves it', async () => {
    const { scene, client } = await open();
    await at(scene, 30 * SECOND, made(2, 30 * SECOND));
    client.take();
    await at(scene, MINUTE + 1_990);
    expect(client.take()).toEqual([]);
    await at(scene, MINUTE + 2_010);
    expect(client.take()).toEqual(['CLOSED 1 2 PROVISIONAL UNPROVEN r0']);
    await at(scene, 2 * MINUTE + 2_010);
    expect(client.take()).toEqual(['CLOSED 2 empty PROVISIONAL UNPROVEN r0']);
    await at(scene, 2 * MINUTE + 10 * SECOND, made(3, 2 * MINUTE + 10 * SECOND));
    expect(client.take()).toEqual([
      'UPDATED 1 2 FINAL COMPLETE r0',
      'UPDATED 2 empty FINAL COMPLETE r0',
      'UPDATED 3 3 FORMING UNPROVEN r0',
    ]);
  });

  it('tells an outage from a quiet market, and revises the candles that are filled later', async () => {
    const { scene, client } = await open({ includeForming: false });
    await at(scene, 50 * SECOND, made(2, 50 * SECOND));
    await at(scene, 3 * MINUTE + SECOND, made(9, 3 * MINUTE + SECOND));
    expect(client.take()).toEqual([
      'CLOSED 0 1 PROVISIONAL UNPROVEN r0',
      'UPDATED 0 1 PROVISIONAL UNPROVEN r0', // five seconds of it are proven now
      'CLOSED 1 2 PROVISIONAL UNPROVEN r0',
      'CLOSED 2 empty PROVISIONAL UNPROVEN r0',
      'UPDATED 1 2 PROVISIONAL PARTIAL r0',
      'UPDATED 2 empty PROVISIONAL MISSING r0',
      'CLOSED 3 empty PROVISIONAL MISSING r0',
    ]);
    // Three trades of the second minute in one recording, then the rest.
    scene.record([made(4, 61 * SECOND), made(5, 62 * SECOND), made(6, 63 * SECOND)], 'BACKFILL');
    await at(scene, 3 * MINUTE + 2 * SECOND);
    expect(client.take()).toEqual(['REVISED 2 6 PROVISIONAL PARTIAL r1 was empty']);
    scene.record([made(3, 55 * SECOND), made(7, 64 * SECOND), made(8, 150 * SECOND)], 'BACKFILL');
    await at(scene, 3 * MINUTE + 3 * SECOND);
    expect(client.take()).toEqual([
      'REVISED 1 3 FINAL COMPLETE r1 was 2',
      'REVISED 2 7 FINAL COMPLETE r2 was 6',
      'REVISED 3 8 FINAL COMPLETE r0 was empty', // within the grace: not a revision by count
    ]);
  });

  it('says when what is missing is given up, without a trade', async () => {
    const { scene, client } = await open({ includeForming: false });
    await at(scene, 50 * SECOND, made(2, 50 * SECOND));
    await at(scene, MINUTE + SECOND, made(4, MINUTE + SECOND));
    client.take();
    scene.giveUp(3n, 3n);
    scene.record([made(5, MINUTE + 2 * SECOND)]);
    await at(scene, MINUTE + 3 * SECOND);
    expect(client.take()).toEqual([]); // PARTIAL it was, PARTIAL it stays
    expect(client.candles.get(`BTC-USDT ${BEGIN + MINUTE}`)?.candle).toMatchObject({ completeness: 'PARTIAL' });
  });

  it('claims nothing while another server writes too, and makes up for it after', async () => {
    const { scene, client } = await open({ includeForming: false });
    scene.shared = true;
    await at(scene, 50 * SECOND, made(2, 50 * SECOND));
    await at(scene, MINUTE + SECOND, made(3, MINUTE + SECOND));
    expect(client.take()).toContain('CLOSED 1 2 PROVISIONAL UNPROVEN r0');
    scene.shared = false;
    await at(scene, MINUTE + 2 * SECOND, made(4, MINUTE + 2 * SECOND));
    expect(client.take()).toContain('UPDATED 1 2 FINAL COMPLETE r0');
  });

  const late = async (stored: number) => {
    const scene = new CandleScene();
    await at(scene, -10 * MINUTE, made(1, -10 * MINUTE), made(3, -9 * MINUTE));
    scene.stored = 2;
    await at(scene, 0);
    const client = new CandleClient(scene, { includeForming: false });
    await at(scene, 5);
    scene.stored = stored;
    scene.record([made(2, 20 * SECOND - 10 * MINUTE, 7)], 'BACKFILL');
    await at(scene, 10);
    return { scene, client };
  };

  it('reads a candle it does not keep from storage before a late trade comes into it', async () => {
    const { client } = await late(2);
    expect(client.take()).toEqual(['REVISED -9 7 FINAL COMPLETE r1 was 1']);
    const previous = client.batches.flatMap(({ changes }) => changes).at(-1)?.previous;
    expect(previous).toMatchObject({ completeness: 'PARTIAL', state: 'PROVISIONAL', values: { tradeCount: 1 } });
  });

  it('waits with a late trade until storage has what came before it', async () => {
    const { scene, client } = await late(1);
    await at(scene, 500);
    expect(client.take()).toEqual([]);
    scene.stored = 2;
    await at(scene, 1_000);
    expect(client.take()).toEqual(['REVISED -9 7 FINAL COMPLETE r1 was 1']);
  });
});

describe('a stream of candles after a cursor', () => {
  it('tells each candle that closed or was revised meanwhile once, with what the client knew', async () => {
    const { scene, client } = await open({ includeForming: false });
    await at(scene, 30 * SECOND, made(2, 30 * SECOND));
    await at(scene, MINUTE + SECOND, made(4, MINUTE + SECOND));
    await client.leave();
    client.take();
    await at(scene, 2 * MINUTE + SECOND, made(5, 2 * MINUTE + SECOND));
    scene.record([made(3, 40 * SECOND, 9)], 'BACKFILL');
    await at(scene, 4 * MINUTE + 3 * SECOND);
    scene.restart();
    client.connect();
    await at(scene, 4 * MINUTE + 4 * SECOND);
    expect(client.take()).toEqual([
      'REVISED 1 9 FINAL COMPLETE r1 was 2',
      'CLOSED 2 4 FINAL COMPLETE r0',
      'CLOSED 3 5 PROVISIONAL UNPROVEN r0',
      'CLOSED 4 empty PROVISIONAL UNPROVEN r0',
    ]);
    expect(client.batches.at(-1)?.notices).toEqual([{ type: 'CAUGHT_UP' }]);
    await at(scene, 5 * MINUTE, made(6, 5 * MINUTE));
    expect(client.take()).toEqual([
      'UPDATED 3 5 FINAL COMPLETE r0',
      'UPDATED 4 empty FINAL COMPLETE r0',
      'CLOSED 5 empty FINAL COMPLETE r0',
    ]);
  });

  it('does not close again what a trade had closed before the clock', async () => {
    const { scene, client } = await open({ includeForming: false });
    await at(scene, MINUTE - 100, made(2, MINUTE - 100));
    await at(scene, MINUTE + 100, made(3, MINUTE + 100));
    expect(client.take()).toContain('CLOSED 1 2 FINAL COMPLETE r0');
    await client.leave();
    client.connect();
    scene.stored = scene.shown.length;
    await at(scene, MINUTE + 5 * SECOND);
    expect(client.take()).toEqual([]);
  });

  it('comes back to the others who ask for the same, and leaves nothing behind', async () => {
    const { scene, client } = await open();
    const other = new CandleClient(scene);
    scene.stored = scene.shown.length;
    await at(scene, 10 * SECOND, made(2, 10 * SECOND));
    await client.leave();
    await at(scene, 20 * SECOND, made(3, 20 * SECOND));
    client.connect();
    scene.stored = scene.shown.length;
    await at(scene, 30 * SECOND, made(4, 30 * SECOND));
    scene.stored = scene.shown.length;
    await at(scene, 40 * SECOND, made(5, 40 * SECOND));
    await at(scene, 50 * SECOND, made(6, 50 * SECOND));
    expect(scene.candles.subscribers).toBe(2);
    expect(scene.followers).toBe(1); // one series for both
    expect(client.candles.get(`BTC-USDT ${BEGIN + MINUTE}`)).toEqual(other.candles.get(`BTC-USDT ${BEGIN + MINUTE}`));
    await client.leave();
    await other.leave();
    expect(scene.candles.subscribers).toBe(0);
    expect(scene.followers).toBe(0);
  });

  it('leaves nothing behind when it goes while storage is asked', async () => {
    const { scene, client } = await open();
    await at(scene, 10 * SECOND, made(3, 10 * SECOND));
    scene.stored = scene.shown.length;
    await scene.clock.advance(20);
    scene.record([made(2, -30 * MINUTE)], 'BACKFILL');
    const { reads } = scene;
    for (let k = 0; k < 30 && scene.reads === reads; k += 1) await scene.clock.advance(5);
    expect(scene.reads).toBe(reads + 1);
    await client.leave();
    for (let left = 8; left > 0; left -= 1) await turn();
    expect(scene.followers).toBe(0);
    expect(scene.clock.sleepers).toBe(0);
  });

  it('refuses one that lies too far back, with the way out', async () => {
    const { scene, client } = await open({ interval: '1s' });
    await at(scene, SECOND, made(2, SECOND));
    await client.leave();
    await at(scene, 4 * 60 * MINUTE, made(3, 4 * 60 * MINUTE));
    scene.stored = scene.shown.length;
    client.connect();
    await at(scene, 4 * 60 * MINUTE + SECOND);
    expect(client.failure).toMatchObject({
      code: 'CURSOR_EXPIRED',
      message: expect.stringContaining('read them with the query `candles`'),
    });
  });
});

describe('a client of candles that is slow', () => {
  const slow = async (mode: 'LOSSLESS' | 'CONFLATE' | 'DROP_OLDEST', trades: number) => {
    const { scene, client } = await open({ delivery: { mode, maxBatchMs: 0, maxPerSecond: null } });
    await at(scene, SECOND, made(2, SECOND));
    client.reads = false;
    await at(scene, 2 * SECOND, made(3, 2 * SECOND)); // the one it had asked for already
    client.take();
    for (let k = 0; k < trades; k += 1) await at(scene, 3 * SECOND + k, made(4 + k, 3 * SECOND + k));
    client.reads = true;
    await at(scene, 10 * SECOND);
    return { client, last: `UPDATED 1 ${3 + trades} FORMING UNPROVEN r0` };
  };
  const conflated = (client: CandleClient) => client.batches.reduce((sum, batch) => sum + batch.conflated, 0);

  it('gets the newest of each with CONFLATE, and the number of those that gave way', async () => {
    const { client, last } = await slow('CONFLATE', 100);
    expect(client.take()).toEqual([last]);
    expect(conflated(client)).toBe(99);
  });

  it('gets every change with LOSSLESS, as far as they fit, and then the newest of each', async () => {
    expect((await slow('LOSSLESS', 100)).client.take()).toHaveLength(100);
    const { client, last } = await slow('LOSSLESS', 1_500);
    const told = client.take();
    expect(told.at(-1)).toBe(last);
    expect(told.length + conflated(client)).toBe(1_500);
    expect(told.length).toBeLessThan(1_024);
  });

  it('is told how many changes it missed with DROP_OLDEST', async () => {
    const { client, last } = await slow('DROP_OLDEST', 1_500);
    const told = client.take();
    expect(told).toHaveLength(1_024);
    expect(told.at(-1)).toBe(last);
    expect(client.batches.flatMap(({ notices }) => notices)).toContainEqual({ type: 'LAGGED', missed: 1_500 - 1_024 });
  });

  it('misses nothing with its first cursor, although more waited than one payload holds', async () => {
    const symbols = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map((base) => `${base}-USDT`);
    const scene = new CandleScene();
    await at(scene, 0);
    const request = { exchange: 'okx', symbols, interval: '1s', includeForming: false } as const;
    const stream = scene.candles.subscribe({ ...request, delivery: DEFAULT_DELIVERY, after: null });
    for (let second = 1; second <= 200; second += 1) await at(scene, second * SECOND);
    const { value: first } = await stream.next();
    await stream.return();
    expect(first?.changes).toHaveLength(1_000);
    const client = new CandleClient(scene, request);
    await client.leave();
    client.cursor = first ? new CandleCursors(request).encode(first.place) : null;
    client.connect();
    for (let k = 0; k < 20; k += 1) await at(scene, 202 * SECOND + k);
    for (const symbol of symbols)
      expect([...client.closed.keys()].filter((key) => key.startsWith(symbol))).toHaveLength(202);
  });

  it('is sent away with the way out when more candles wait than there is room for', async () => {
    const symbols = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map((base) => `${base}-USDT`);
    const { scene, client } = await open({ symbols, interval: '1s', includeForming: false });
    client.reads = false;
    for (let minute = 1; minute <= 36; minute += 1) await at(scene, minute * MINUTE);
    client.reads = true;
    await at(scene, 36 * MINUTE + 10);
    expect(client.failure).toMatchObject({
      code: 'CURSOR_EXPIRED',
      message: expect.stringContaining('subscribe anew'),
    });
    expect(scene.followers).toBe(0);
  });
});

describe('a stream of candles that meets trouble', () => {
  it('closes nothing for a trade whose time is far ahead, and what is made after that is no revision', async () => {
    const { scene, client } = await open();
    await at(scene, 10 * SECOND, made(2, 10 * SECOND));
    client.take();
    await at(scene, 11 * SECOND, made(3, 12 * 60 * MINUTE));
    expect(client.take()).toEqual(['UPDATED 721 3 FORMING UNPROVEN r0']);
    await at(scene, 12 * SECOND, made(4, 12 * SECOND));
    expect(client.take()).toEqual(['UPDATED 1 4 FORMING COMPLETE r0']);
  });

  it('ends with a code when storage never gets to where the cursor is', async () => {
    const { scene, client } = await open();
    await client.leave();
    scene.stored = 0;
    client.connect();
    for (let second = 1; second <= 40; second += 1) await at(scene, second * SECOND);
    expect(client.failure).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('not stored yet'),
    });
  });

  it('ends with a code when storage is away, and goes on after the cursor', async () => {
    const { scene, client } = await open({ includeForming: false });
    await at(scene, 30 * SECOND, made(3, 30 * SECOND));
    await at(scene, MINUTE + SECOND, made(4, MINUTE + SECOND));
    scene.databaseFailure = new AppError('DATABASE_UNAVAILABLE', 'away');
    client.take();
    scene.record([made(2, -30 * MINUTE)], 'BACKFILL');
    await at(scene, MINUTE + 3 * SECOND);
    expect(client.failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(scene.candles.subscribers).toBe(0);
    scene.databaseFailure = null;
    scene.stored = scene.shown.length;
    client.connect();
    await at(scene, MINUTE + 4 * SECOND);
    expect(client.take()).toContain('REVISED -29 2 PROVISIONAL UNPROVEN r1 was empty');
  });

  it.each(['', '1', 'AAAA.zz', 'x'.repeat(5_000)])('refuses %j as a cursor', async (text) => {
    const { client } = await open();
    client.cursor = text;
    expect(() => client.connect()).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
  });

  it('refuses a cursor of other symbols, and one whose closed candle was changed', async () => {
    const { scene, client } = await open();
    const other = new CandleClient(scene, { symbols: ['BTC-USDT', 'ETH-USDT'] });
    other.cursor = client.cursor;
    expect(() => other.connect()).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
    client.cursor = `${client.cursor}1`;
    expect(() => client.connect()).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
  });
});
