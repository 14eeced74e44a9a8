import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { currentPosition, findTrade, listTrades } from '../../src/storage/trades.ts';
import { openTestDatabase } from '../support/database.ts';
import { batchOf, dec, idsOf, NOW, sampleTrade, sequencesOf, toRecord } from './samples.ts';

describe('the trade writer', () => {
  it('returns and stores each field to the last digit', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    const trade = sampleTrade('9007199254740993123456789', {
      price: dec(`${'9'.repeat(60)}.${'1'.repeat(59)}7`),
      size: dec('0.000000000000000000010'),
      raw: { nested: ['"\\', '\u00e9', 1.5], text: 'a\nb' },
      exchangeTime: NOW + 123,
    });
    const [recorded] = await writer.write([toRecord(trade, { provenance: 'BACKFILL' })]);
    expect(recorded).toMatchObject({ trade, provenance: 'BACKFILL', writer: 0, sequence: 1n });
    expect(await findTrade(db, 'okx', 'BTC-USDT', trade)).toEqual(recorded);
  });

  it('stores the payload only when asked', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    await writer.write([toRecord(sampleTrade(1), { storeRaw: false })]);
    expect((await findTrade(db, 'okx', 'BTC-USDT', sampleTrade(1)))?.trade.raw).toBeNull();
  });

  it('keeps a payload with characters jsonb cannot hold', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    await writer.write([toRecord(sampleTrade(1, { raw: { a: '\0\ud800\\u0000', b: 'x' } }))]);
    expect((await findTrade(db, 'okx', 'BTC-USDT', sampleTrade(1)))?.trade.raw).toEqual({
      a: '\ufffd\ufffd\\u0000',
      b: 'x',
    });
  });

  it('numbers what is new without a hole and leaves out what it knows', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    expect(idsOf(await writer.write(batchOf(1, 2, 2, 1, 3)))).toEqual(['1', '2', '3']);
    const second = await writer.write(batchOf(3, 4, 1, 5));
    expect(idsOf(second)).toEqual(['4', '5']);
    expect(sequencesOf(second)).toEqual([4, 5]);
    expect(await writer.write(batchOf(1, 2, 3))).toEqual([]);
    expect(await writer.write([])).toEqual([]);
    expect(writer.position).toBe(5n);
    expect(await currentPosition(db)).toEqual(new Map([[0, 5n]]));
  });

  it('keeps equal ids of different instruments apart', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    const same = [sampleTrade(1), sampleTrade(1, { symbol: 'ETH-USDT' }), sampleTrade(1, { exchange: 'binance' })];
    expect(await writer.write(same.map((trade) => toRecord(trade)))).toHaveLength(3);
  });

  it('finds a duplicate whose time differs across the end of a month', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    const end = Date.UTC(2026, 9, 1);
    await writer.write([toRecord(sampleTrade(1, { exchangeTime: end - 1 }))]);
    expect(await writer.write([toRecord(sampleTrade(1, { exchangeTime: end }))])).toEqual([]);
  });

  it('refuses what no row can hold, by name, and goes on', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    for (const wrong of [
      { exchangeTime: 0 },
      { exchangeTime: Number.NaN },
      { tradeId: 'a\0' },
      { tradeId: 'x'.repeat(300) },
      { fillCount: 0 },
    ])
      await expect(writer.write([toRecord(sampleTrade(1, wrong))])).rejects.toMatchObject({
        code: 'DATA_POINT_INVALID',
      });
    expect(await writer.write(batchOf(1))).toHaveLength(1);
  });

  it('makes the partitions of old times when they come', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    const times = [Date.UTC(2022, 9, 31, 23, 59), Date.UTC(2022, 10, 1), Date.UTC(2019, 0, 1)];
    await writer.write(times.map((exchangeTime, at) => toRecord(sampleTrade(at + 1, { exchangeTime }))));
    const page = await listTrades(db, {
      exchange: 'okx',
      symbol: 'BTC-USDT',
      from: null,
      to: null,
      side: null,
      order: 'ASC',
      limit: 10,
      after: null,
      before: null,
      fromEnd: false,
    });
    expect(idsOf(page.trades)).toEqual(['3', '1', '2']);
  });

  it('gives two writers of one database slots of their own', async () => {
    await using db = await openTestDatabase();
    await using first = await openTradeWriter(db, systemClock, silentLog);
    await using second = await openTradeWriter(db, systemClock, silentLog);
    expect([first.writer, second.writer]).toEqual([0, 1]);
    const ids = Array.from({ length: 60 }, (_, at) => at + 1);
    const chunks = Array.from({ length: 20 }, (_, at) => ids.slice(at * 3, at * 3 + 3));
    const written = await Promise.all(
      chunks.flatMap((chunk) => [first.write(batchOf(...chunk)), second.write(batchOf(...chunk))]),
    );
    const all = written.flat();
    expect(idsOf(all).toSorted((a, b) => Number(a) - Number(b))).toEqual(ids.map(String));
    expect(first.position + second.position).toBe(60n);
    for (const { writer, position } of [first, second])
      expect(
        all
          .filter((one) => one.writer === writer)
          .map(({ sequence }) => Number(sequence))
          .toSorted((a, b) => a - b),
      ).toEqual(Array.from({ length: Number(position) }, (_, at) => at + 1));
  });

  it('takes up a free slot where it was left', async () => {
    await using db = await openTestDatabase();
    {
      await using writer = await openTradeWriter(db, systemClock, silentLog);
      await writer.write(batchOf(1, 2));
    }
    await using again = await openTradeWriter(db, systemClock, silentLog);
    expect([again.writer, again.position]).toEqual([0, 2n]);
  });

  it('claims again when another server took its slot, and stores nothing under the old one', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    await writer.write(batchOf(1));
    await db.writers.run((handle) =>
      handle.execute(sql`update tcp_dashboard.writer set epoch = epoch + 1, position = 7`),
    );
    const recorded = await writer.write(batchOf(1, 2));
    expect(idsOf(recorded)).toEqual(['2']);
    expect(sequencesOf(recorded)).toEqual([8]);
  });

  it('never gives out a published sequence again after the database lost commits', async () => {
    await using db = await openTestDatabase();
    await using writer = await openTradeWriter(db, systemClock, silentLog);
    await writer.write(batchOf(1, 2, 3));
    await db.writers.run((handle) => handle.execute(sql`update tcp_dashboard.writer set position = 1`));
    await db.writers.run((handle) => handle.execute(sql`delete from tcp_dashboard.trade where trade_id <> '1'`));
    const recorded = await writer.write(batchOf(1, 2, 3));
    expect(idsOf(recorded)).toEqual(['2', '3']);
    expect(sequencesOf(recorded)).toEqual([4, 5]);
  });
});
