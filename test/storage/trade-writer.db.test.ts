import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { currentPosition, findTrade, listTrades } from '../../src/storage/trades.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, idsOf, NOW, pageOf, scene, sequencesOf, toRecord } from './samples.ts';

const db = useTestDatabase();
const openWriter = () => openTradeWriter(db(), systemClock, silentLog);

describe('the trade writer', () => {
  it('returns and stores each field to the last digit', async () => {
    const { symbol, trade } = scene();
    await using writer = await openWriter();
    const exact = trade('9007199254740993123456789', {
      price: dec(`${'9'.repeat(60)}.${'1'.repeat(59)}7`),
      size: dec('0.000000000000000000010'),
      raw: { nested: ['"\\', '\u00e9', 1.5], text: 'a\nb' },
      exchangeTime: NOW + 123,
    });
    const [recorded] = await writer.write([toRecord(exact, { provenance: 'BACKFILL' })]);
    expect(recorded).toMatchObject({ trade: exact, provenance: 'BACKFILL', writer: 0, sequence: writer.position });
    expect(await findTrade(db(), 'okx', symbol, exact)).toEqual(recorded);
  });

  it('stores the payload only when asked', async () => {
    const { symbol, trade } = scene();
    await using writer = await openWriter();
    await writer.write([toRecord(trade(1), { storeRaw: false })]);
    expect((await findTrade(db(), 'okx', symbol, trade(1)))?.trade.raw).toBeNull();
  });

  it('keeps a payload with characters jsonb cannot hold', async () => {
    const { symbol, trade } = scene();
    await using writer = await openWriter();
    await writer.write([toRecord(trade(1, { raw: { a: '\0\ud800\\u0000', b: 'x' } }))]);
    const stored = await findTrade(db(), 'okx', symbol, trade(1));
    expect(stored?.trade.raw).toEqual({ a: '\ufffd\ufffd\\u0000', b: 'x' });
  });

  it('numbers what is new without a hole and leaves out what it knows', async () => {
    const { batch } = scene();
    await using writer = await openWriter();
    const start = Number(writer.position);
    expect(idsOf(await writer.write(batch(1, 2, 2, 1, 3)))).toEqual(['1', '2', '3']);
    const second = await writer.write(batch(3, 4, 1, 5));
    expect(idsOf(second)).toEqual(['4', '5']);
    expect(sequencesOf(second)).toEqual([start + 4, start + 5]);
    expect(await writer.write(batch(1, 2, 3))).toEqual([]);
    expect(await writer.write([])).toEqual([]);
    expect(writer.position).toBe(BigInt(start + 5));
    expect((await currentPosition(db())).get(writer.writer)).toBe(writer.position);
  });

  it('keeps equal ids of different instruments apart', async () => {
    const [here, there] = [scene(), scene()];
    await using writer = await openWriter();
    const same = [here.trade(1), there.trade(1), here.trade(1, { exchange: 'binance' })];
    expect(await writer.write(same.map((trade) => toRecord(trade)))).toHaveLength(3);
  });

  it('finds a duplicate whose time differs across the end of a month', async () => {
    const { trade } = scene();
    await using writer = await openWriter();
    const end = Date.UTC(2026, 9, 1);
    await writer.write([toRecord(trade(1, { exchangeTime: end - 1 }))]);
    expect(await writer.write([toRecord(trade(1, { exchangeTime: end }))])).toEqual([]);
  });

  it.each([
    ['a time before 2009', { exchangeTime: 0 }],
    ['no time', { exchangeTime: Number.NaN }],
    ['an id with a zero character', { tradeId: 'a\0' }],
    ['an id too long for an index', { tradeId: 'x'.repeat(300) }],
    ['no fill', { fillCount: 0 }],
  ])('refuses %s, and goes on', async (_what, wrong) => {
    const { trade, batch } = scene();
    await using writer = await openWriter();
    await expect(writer.write([toRecord(trade(1, wrong))])).rejects.toMatchObject({ code: 'DATA_POINT_INVALID' });
    expect(await writer.write(batch(1))).toHaveLength(1);
  });

  it('makes the partitions of old times when they come', async () => {
    const { symbol, trade } = scene();
    await using writer = await openWriter();
    const times = [Date.UTC(2022, 9, 31, 23, 59), Date.UTC(2022, 10, 1), Date.UTC(2019, 0, 1)];
    await writer.write(times.map((exchangeTime, at) => toRecord(trade(at + 1, { exchangeTime }))));
    expect(idsOf((await listTrades(db(), pageOf(symbol))).trades)).toEqual(['3', '1', '2']);
  });

  it('gives two writers slots of their own, and every trade to one of them', async () => {
    const { batch } = scene();
    await using first = await openWriter();
    await using second = await openWriter();
    expect(first.writer).not.toBe(second.writer);
    const starts = new Map([first, second].map(({ writer, position }) => [writer, position]));
    const ids = Array.from({ length: 60 }, (_, at) => at + 1);
    const chunks = Array.from({ length: 20 }, (_, at) => ids.slice(at * 3, at * 3 + 3));
    const written = await Promise.all(
      chunks.flatMap((chunk) => [first.write(batch(...chunk)), second.write(batch(...chunk.toReversed()))]),
    );
    const all = written.flat();
    expect(idsOf(all).toSorted((a, b) => Number(a) - Number(b))).toEqual(ids.map(String));
    for (const { writer, position } of [first, second]) {
      const own = all.filter((one) => one.writer === writer);
      const start = Number(starts.get(writer));
      expect(sequencesOf(own)).toEqual(own.map((_, at) => start + at + 1));
      expect(Number(position)).toBe(start + own.length);
    }
  });

  it('takes up a free slot where it was left', async () => {
    const { batch } = scene();
    let left: readonly [number, bigint];
    {
      await using writer = await openWriter();
      await writer.write(batch(1, 2));
      left = [writer.writer, writer.position];
    }
    await using again = await openWriter();
    expect([again.writer, again.position]).toEqual(left);
  });

  it('claims again when another server took its slot, and stores nothing under the old one', async () => {
    const { batch } = scene();
    await using writer = await openWriter();
    await writer.write(batch(1));
    const taken = sql`update tcp_dashboard.writer set epoch = epoch + 1, position = position + 7 where id = ${writer.writer}`;
    await db().writers.run((handle) => handle.execute(taken));
    const before = Number(writer.position);
    const recorded = await writer.write(batch(1, 2));
    expect(idsOf(recorded)).toEqual(['2']);
    expect(sequencesOf(recorded)).toEqual([before + 8]);
  });

  it('never gives out a published sequence again after the database lost commits', async () => {
    const { batch } = scene();
    await using writer = await openWriter();
    const published = sequencesOf(await writer.write(batch(1, 2, 3)));
    const [kept = 0] = published;
    await db().writers.run(async (handle) => {
      await handle.execute(sql`update tcp_dashboard.writer set position = ${kept} where id = ${writer.writer}`);
      await handle.execute(sql`delete from tcp_dashboard.trade where id > ${kept}`);
    });
    const recorded = await writer.write(batch(1, 2, 3));
    expect(idsOf(recorded)).toEqual(['2', '3']);
    expect(sequencesOf(recorded)).toEqual([kept + 3, kept + 4]);
  });
});
