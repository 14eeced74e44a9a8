import { readdirSync, readFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { listCandles } from '../../src/candles/candle-history.ts';
import { type CandleInterval, type CandleWindow, type Windows, windowAt } from '../../src/market/candle-window.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type CandleQuery, type NearestTradeQuery, nearestTrade, readCandles } from '../../src/storage/candles.ts';
import { listStretches, type StretchQuery } from '../../src/storage/coverage.ts';
import { seeded } from '../chaos/seeded.ts';
import { candleByHand, type Recorded } from '../support/candle-by-hand.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, NOW, scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();

describe('candles of trades', () => {
  it.each([
    ['the first', Date.UTC(2001, 0, 1) - 2_000 * 365.2425 * 86_400_000],
    ['the last', Date.UTC(10_000, 0, 1) - 1],
  ])('are asked for at %s time there is', async (_which, time) => {
    const { symbol, trade } = scene();
    await using writer = await openTestWriter(db(), { clock: systemClock });
    await writer.write([toRecord(trade(1, {}))]);
    for (const interval of ['1s', '1w', '1M'] as const) {
      const windows = { interval, timeZone: 'Asia/Tokyo', anchor: null };
      const ports = {
        readCandles: (query: CandleQuery) => readCandles(db(), query),
        listStretches: (query: StretchQuery) => listStretches(db(), query),
        nearestTrade: (query: NearestTradeQuery) => nearestTrade(db(), query),
        listRecordedRuns: () => Promise.resolve([]),
        clock: systemClock,
      };
      const { candles } = await listCandles(ports, {
        ...{ exchange: 'okx', symbol, windows, from: time - 1, to: time, includeForming: true, endInclusive: false },
        ...{ emptyIntervals: 'CARRY_FORWARD', asOf: NOW, order: 'ASC', limit: 1, after: null, before: null },
        fromEnd: true,
      });
      expect(candles).toHaveLength(1);
    }
  });

  it('are what their definition says, for any interval, boundary, zone, anchor and time asked about', async () => {
    const random = seeded('candles');
    const below = (limit: number) => Math.floor(random() * limit);
    const { symbol, trade } = scene();
    let now = NOW;
    const clock = { ...systemClock, now: () => now };
    await using writer = await openTestWriter(db(), { clock });
    const all: Recorded[] = [];
    const day = 86_400_000;
    let id = 1;
    for (let batch = 0; batch < 60; batch += 1) {
      now = NOW + batch * 7_003_777;
      const trades = Array.from({ length: 1 + below(20) }, () => {
        const exchangeTime =
          random() < 0.3 ? Math.floor((now - below(2 * day)) / 60_000) * 60_000 - below(2) : now - below(9_000_000);
        return trade(id++, {
          exchangeTime,
          price: dec(`${100 + below(50)}.${10 + below(90)}`),
          size: dec(`0.00${1 + below(9)}`),
        });
      });
      await writer.write(trades.map((one) => toRecord(one)));
      for (const one of trades) all.push({ trade: one, recordedAt: now });
    }
    const intervals: CandleInterval[] = ['1s', '15s', '1m', '5m', '1h', '4h', '1d', '1w', '1M'];
    for (let asked = 0; asked < 120; asked += 1) {
      const windows: Windows = {
        interval: intervals[below(intervals.length)] ?? '1m',
        timeZone: ['UTC', 'America/New_York', 'Asia/Kolkata'][below(3)] ?? 'UTC',
        anchor: random() < 0.3 ? NOW + below(day) : null,
      };
      const endInclusive = random() < 0.4;
      const asOf = random() < 0.5 ? NOW + below(60 * 7_003_777) : null;
      const list: CandleWindow[] = [];
      let at = (all[below(all.length)]?.trade.exchangeTime ?? NOW) - below(60_000);
      for (let k = 0; k < 30; k += 1) {
        const window = windowAt(windows, at);
        list.push(window);
        at = window.closeTime;
      }
      const candles = await readCandles(db(), { exchange: 'okx', symbol, windows: list, endInclusive, asOf });
      expect({ windows, endInclusive, asOf, values: candles.map(({ values }) => values) }).toEqual({
        ...{ windows, endInclusive, asOf },
        values: list.map((window) => candleByHand(all, window, { endInclusive, asOf })),
      });
    }
  }, 60_000);

  describe('of the calendar hold the trades of each hour of theirs', () => {
    const HOUR = 3_600_000;
    const { symbol, trade } = scene();
    beforeAll(async () => {
      await using writer = await openTestWriter(db());
      const days = ['2024-02-28', '2024-12-29', '2025-02-27', '2025-03-02', '2025-03-29', '2025-10-19', '2025-11-01'];
      let id = 1;
      const hours = days.flatMap((day) => Array.from({ length: 240 }, (_, hour) => Date.parse(day) + hour * HOUR));
      // Where two of the stretches meet, an hour counts once.
      const trades = [...new Set(hours)].map((exchangeTime) => toRecord(trade(id++, { exchangeTime })));
      await writer.write(trades);
    });

    it.each([
      ['a leap day', '1d', 'UTC', '2024-02-29T12:00:00Z', '2024-03-01T00:00:00Z', 24],
      ['the end of a month with a leap day', '1M', 'UTC', '2024-02-29T12:00:00Z', '2024-03-01T00:00:00Z', 48],
      ['the end of February in another year', '1M', 'UTC', '2025-02-28T12:00:00Z', '2025-03-01T00:00:00Z', 48],
      ['a week across years', '1w', 'UTC', '2024-12-31T12:00:00Z', '2025-01-06T00:00:00Z', 168],
      ['a day when clocks go forward', '1d', 'Europe/Berlin', '2025-03-30T12:00:00Z', '2025-03-30T22:00:00Z', 23],
      ['a day when clocks go back', '1d', 'Europe/Berlin', '2025-10-26T12:00:00Z', '2025-10-26T23:00:00Z', 25],
      ['a day when clocks go forward', '1d', 'America/New_York', '2025-03-09T12:00:00Z', '2025-03-10T04:00:00Z', 23],
      ['a day when clocks go back', '1d', 'America/New_York', '2025-11-02T12:00:00Z', '2025-11-03T05:00:00Z', 25],
      ['a week when clocks go back', '1w', 'Europe/Berlin', '2025-10-22T12:00:00Z', '2025-10-26T23:00:00Z', 169],
      ['a week when clocks go forward', '1w', 'America/New_York', '2025-03-05T12:00:00Z', '2025-03-10T04:00:00Z', 167],
    ] as const)('%s (%s, %s)', async (_what, interval, timeZone, time, end, count) => {
      const windows = [windowAt({ interval, timeZone, anchor: null }, Date.parse(time))];
      const [candle] = await readCandles(db(), { exchange: 'okx', symbol, windows, endInclusive: false, asOf: null });
      expect([candle?.closeTime, candle?.values?.tradeCount]).toEqual([Date.parse(end), count]);
    });
  });

  it('as of a time hold nothing that begins later, whatever was stored since', async () => {
    const { symbol, trade } = scene();
    let now = NOW;
    await using writer = await openTestWriter(db(), { clock: { ...systemClock, now: () => now } });
    await writer.write([toRecord(trade(1, { exchangeTime: NOW - 1 }))]);
    now = NOW + 10 * 86_400_000;
    await writer.write([toRecord(trade(2, { exchangeTime: now - 1 }))]);
    const windows = Array.from({ length: 11 }, (_, k) => {
      const openTime = Math.floor(NOW / 86_400_000 + k) * 86_400_000;
      return { openTime, closeTime: openTime + 86_400_000 };
    });
    const query = { exchange: 'okx', symbol, windows, endInclusive: false };
    const counts = async (asOf: number | null) =>
      (await readCandles(db(), { ...query, asOf })).map(({ values }) => values?.tradeCount ?? 0);
    expect((await counts(null)).reduce((sum, count) => sum + count)).toBe(2);
    expect((await counts(NOW)).reduce((sum, count) => sum + count)).toBe(1);
    expect(await counts(NOW - 86_400_000)).toEqual(windows.map(() => 0));
  });

  it('are made of the trades that were there before there were candles', async () => {
    const { symbol, trade } = scene();
    await using writer = await openTestWriter(db());
    const times = [0, 400, 400, 1_500, 61_000, 3_700_000, 40 * 86_400_000];
    await writer.write(times.map((at, k) => toRecord(trade(k + 1, { exchangeTime: NOW + at }))));
    const all = () =>
      db().readers.run((handle) =>
        handle.execute(
          sql`select c.* from tcp_dashboard.candle c join tcp_dashboard.instrument i on i.id = c.instrument_id
            where i.symbol = ${symbol} order by seconds, ts`,
          'objects',
        ),
      );
    const kept = await all();
    expect(kept).toHaveLength(5 + 4 + 3);
    const folder = new URL('../../drizzle/', import.meta.url);
    const [name = ''] = readdirSync(folder).filter((one) => one.endsWith('_candles'));
    const migration = readFileSync(new URL(`${name}/migration.sql`, folder), 'utf8');
    await db().writers.transaction(async (tx) => {
      await tx.execute(sql`drop table tcp_dashboard.candle`);
      await tx.execute(sql`delete from tcp_dashboard.partition where relation = 'candle'`);
      for (const statement of migration.split('--> statement-breakpoint')) await tx.execute(sql.raw(statement));
    });
    expect(await all()).toEqual(kept);
  });
});
