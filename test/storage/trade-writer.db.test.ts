import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { Stretch } from '../../src/market/coverage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { loadTradeStretches } from '../../src/storage/coverage-writer.ts';
import { checkStorable } from '../../src/storage/trade-writer.ts';
import { currentPosition, findTrade } from '../../src/storage/trades.ts';
import { othersWroteSince } from '../../src/storage/writer-slot.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, idsOf, listTrades, NOW, pageOf, scene, sequencesOf, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();
const openWriter = () => openTestWriter(db());

setFlagsFromString('--expose-gc');
const gc: (options: { readonly type: 'minor' }) => void = runInNewContext('gc');
const collectYoung = () => gc({ type: 'minor' });

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

  it('leaves nothing of what it sent to be found by a full collection', async () => {
    const { trade } = scene();
    await using writer = await openWriter();
    const raw = { text: 'x'.repeat(2_000) };
    const commit = async (from: number) => {
      const trades = Array.from({ length: 100 }, (_, k) => ({
        ...toRecord(trade(from + k, { raw }), { storeRaw: true }),
        ...{ writer: writer.writer, sequence: writer.position + BigInt(k + 1), recordedAt: NOW },
      }));
      await writer.real.prepare(trades);
      await writer.real.write({ trades, last: writer.position + 100n, changes: [] });
    };
    await commit(1);
    collectYoung();
    const before = process.memoryUsage().arrayBuffers;
    for (let k = 1; k <= 40; k += 1) {
      await commit(1 + 100 * k);
      collectYoung(); // what is alive now, and in the next one, is kept for a full collection
    }
    collectYoung();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 100 * 2_000);
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

  it('keeps each trade under its number and leaves empty the numbers of those that are there already', async () => {
    const { batch } = scene();
    await using writer = await openWriter();
    const start = Number(writer.position);
    expect(sequencesOf(await writer.write(batch(1, 2, 3)))).toEqual([start + 1, start + 2, start + 3]);
    const second = await writer.write(batch(3, 4, 1, 5));
    expect(idsOf(second)).toEqual(['4', '5']);
    expect(sequencesOf(second)).toEqual([start + 5, start + 7]);
    expect(await writer.write(batch(1, 2, 3))).toEqual([]);
    expect(await writer.write([])).toEqual([]);
    expect(writer.position).toBe(BigInt(start + 10));
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
    ['an id of two lines', { tradeId: 'a\nb' }],
    ['an id too long for an index', { tradeId: 'x'.repeat(300) }],
    ['no fill', { fillCount: 0 }],
    ['a price of zero', { price: dec('0.000') }],
    ['a price below zero', { price: dec('-1') }],
    ['a size below zero', { size: dec('-0.1') }],
  ])('has no row for %s, and says so before anybody keeps it', (_what, wrong) => {
    const { trade } = scene();
    expect(() => checkStorable(trade(1), NOW)).not.toThrow();
    expect(() => checkStorable(trade(1, wrong), NOW)).toThrow(expect.objectContaining({ code: 'DATA_POINT_INVALID' }));
  });

  it('makes the partitions of old times when they come', async () => {
    const { symbol, trade } = scene();
    await using writer = await openWriter();
    const times = [Date.UTC(2022, 9, 31, 23, 59), Date.UTC(2022, 10, 1), Date.UTC(2019, 0, 1)];
    await writer.write(times.map((exchangeTime, at) => toRecord(trade(at + 1, { exchangeTime }))));
    expect(idsOf((await listTrades(db(), pageOf(symbol))).trades)).toEqual(['3', '1', '2']);
  });

  it('makes the partitions of a month again that another server let go of', async () => {
    const { symbol, trade } = scene();
    await using writer = await openWriter();
    const inJune = (id: number) => toRecord(trade(id, { exchangeTime: Date.UTC(2018, 5, 15) + id }));
    await writer.write([inJune(1)]);
    for (const name of ['trade_2018_06', 'candle_2018_06']) {
      await db().writers.run((handle) => handle.execute(sql`drop table tcp_dashboard.${sql.identifier(name)}`));
      await db().writers.run((handle) => handle.execute(sql`delete from tcp_dashboard.partition where name = ${name}`));
    }
    expect(idsOf(await writer.write([inJune(2)]))).toEqual(['2']);
    expect(idsOf((await listTrades(db(), pageOf(symbol))).trades)).toEqual(['2']);
  });

  it('stores what was made ready before, under numbers that another commit came in front of', async () => {
    const { symbol, batch } = scene();
    await using writer = await openWriter();
    const recorded = batch(1, 2).map((one, at) => ({
      ...{ ...one, writer: writer.writer, sequence: writer.position + BigInt(at + 2), recordedAt: NOW },
    }));
    await writer.real.prepare(recorded);
    await writer.write(batch(3));
    await writer.real.write({ trades: recorded, last: writer.position + 2n, changes: [] });
    const { trades } = await listTrades(db(), pageOf(symbol));
    expect(trades.filter(({ trade }) => trade.tradeId !== '3')).toMatchObject(
      recorded.map(({ trade, sequence, recordedAt }) => ({ trade, sequence, recordedAt })),
    );
  });

  it('gives two writers slots of their own, and every trade to one of them', async () => {
    const { symbol, batch } = scene();
    await using first = await openWriter();
    await using second = await openWriter();
    expect(first.writer).not.toBe(second.writer);
    const ids = Array.from({ length: 60 }, (_, at) => at + 1);
    const chunks = Array.from({ length: 20 }, (_, at) => ids.slice(at * 3, at * 3 + 3));
    const written = await Promise.all(
      chunks.flatMap((chunk) => [first.write(batch(...chunk)), second.write(batch(...chunk.toReversed()))]),
    );
    const all = written.flat();
    expect(idsOf(all).toSorted((a, b) => Number(a) - Number(b))).toEqual(ids.map(String));
    const { trades } = await listTrades(db(), pageOf(symbol));
    expect(trades.map(({ writer, sequence }) => `${writer} ${sequence}`).sort()).toEqual(
      all.map(({ writer, sequence }) => `${writer} ${sequence}`).sort(),
    );
    for (const { writer } of [first, second]) {
      const own = sequencesOf(all.filter((one) => one.writer === writer));
      expect(own).toEqual(own.toSorted((a, b) => a - b));
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

  it('keeps a slot for the spool that owns it, and gives it to nobody else', async () => {
    const { batch } = scene();
    const owner = 'the spool of a test';
    const owned = await openTestWriter(db(), { owner });
    await owned.write(batch(1));
    const { writer, position } = owned;
    await owned.real[Symbol.asyncDispose](); // as after a crash: not disowned
    await using other = await openWriter();
    expect(other.writer).not.toBe(writer);
    await expect(openTestWriter(db(), { owner: 'somebody else', writer })).rejects.toMatchObject({
      code: 'WRITER_FENCED',
    });
    await using again = await openTestWriter(db(), { owner, writer });
    expect([again.writer, again.position]).toEqual([writer, position]);
  });

  it('writes into its books what all others have said, and leaves theirs as they are', async () => {
    const { symbol, batch } = scene();
    const said = (first: bigint, last: bigint, over: Partial<Stretch> = {}) => {
      const stretch: Stretch = {
        ...{
          first,
          last,
          status: 'PROVEN',
          evidence: 'TRADE_ID_CONTIGUITY',
          from: NOW + Number(first),
          to: NOW + Number(last),
        },
        ...{ actual: Number(last - first) + 1, cause: null, gap: null, gapFoundAt: null, ...over },
      };
      return { exchange: 'okx', symbol, first, stretch };
    };
    const missing = { status: 'GAP', actual: 0, cause: 'lost', gap: 4n, gapFoundAt: NOW } as const;
    const booksOf = async (writer: number) =>
      (await loadTradeStretches(db(), writer))
        .filter((one) => one.symbol === symbol)
        .map(({ status, first, last }) => `${status} ${first}-${last}`);
    await using alive = await openTestWriter(db());
    const gone = await openTestWriter(db(), { owner: 'a spool that was lost' });
    await alive.write(batch(7), [said(7n, 7n)]);
    await gone.write(batch(1, 2, 3, 9), [said(1n, 3n), said(4n, 8n, missing), said(9n, 9n)]);
    await gone.real[Symbol.asyncDispose](); // not disowned
    await using next = await openTestWriter(db(), { owner: 'another spool' });
    expect(next.writer).not.toBe(gone.writer);
    const all = ['PROVEN 1-3', 'GAP 4-6', 'PROVEN 7-7', 'GAP 8-8', 'PROVEN 9-9'];
    expect(await booksOf(next.writer)).toEqual(all);
    expect([await booksOf(gone.writer), await booksOf(alive.writer)]).toEqual([
      ['PROVEN 1-3', 'GAP 4-8', 'PROVEN 9-9'],
      ['PROVEN 7-7'],
    ]);
    await using back = await openTestWriter(db(), { owner: 'a spool that was lost', writer: gone.writer });
    expect(await booksOf(back.writer)).toEqual(all);
  });

  it('knows that another one wrote lately which holds no slot any more', async () => {
    const { batch } = scene();
    const at = NOW + 7_000_000_000; // later than anything else in this database
    const gone = await openTestWriter(db(), { clock: { ...systemClock, now: () => at } });
    const { symbol } = batch(1)[0]?.trade ?? { symbol: '' };
    const stretch: Stretch = {
      ...{ first: 1n, last: 1n, status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', from: NOW, to: NOW },
      ...{ actual: 1, cause: null, gap: null, gapFoundAt: null },
    };
    await gone.write(batch(1), [{ exchange: 'okx', symbol, first: 1n, stretch }]);
    expect(await othersWroteSince(db(), at - 1)).toBe(false);
    await gone.real[Symbol.asyncDispose]();
    expect(await othersWroteSince(db(), at - 1)).toBe(true);
    expect(await othersWroteSince(db(), at)).toBe(false);
  });

  it('claims its slot again when it was fenced off, and stores nothing under the old claim', async () => {
    const { batch } = scene();
    await using writer = await openWriter();
    await writer.write(batch(1));
    const fence = sql`update tcp_dashboard.writer set epoch = epoch + 1 where id = ${writer.writer}`;
    await db().writers.run((handle) => handle.execute(fence));
    expect(idsOf(await writer.write(batch(1, 2)))).toEqual(['2']);
  });

  it('says so when the database has lost what it confirmed, and commits it again under the same numbers', async () => {
    const { batch } = scene();
    await using writer = await openWriter();
    const lost = batch(1, 2, 3);
    const published = sequencesOf(await writer.write(lost));
    const [before] = published.map((sequence) => sequence - 1);
    await db().writers.run(async (handle) => {
      await handle.execute(
        sql`update tcp_dashboard.writer set epoch = epoch + 1, position = ${before} where id = ${writer.writer}`,
      );
      await handle.execute(sql`delete from tcp_dashboard.trade where id > (${writer.writer}::int8 << 48) + ${before}`);
    });
    await expect(writer.write(batch(4))).rejects.toMatchObject({ code: 'WRITER_BEHIND' });
    expect(sequencesOf(await writer.write(lost))).toEqual(published);
  });
});
