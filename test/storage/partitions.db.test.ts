import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { Stretch } from '../../src/market/coverage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { coverageTotals, listStretches } from '../../src/storage/coverage.ts';
import type { Database } from '../../src/storage/database.ts';
import { dropExpired, ensurePartitions } from '../../src/storage/partitions.ts';
import { tradesAfter } from '../../src/storage/trades.ts';
import { openTestDatabase } from '../support/database.ts';
import { idsOf, listTrades, pageOf, scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const DAY = 86_400_000;
const RETENTION = 730 * DAY;
/** A clock that stands still, since retention compares when partitions were made. */
const clockAt = (time: number) => ({ ...systemClock, now: () => time });
const partitionsOf = async (db: Database) =>
  (
    await db.readers.run((handle) =>
      handle.execute<{ name: string }>(
        sql`select name from tcp_dashboard.partition where relation = 'trade' order by 1`,
        'objects',
      ),
    )
  ).map(({ name }) => name);

describe('partitions', () => {
  it('are made once by callers that race, and ahead of time', async () => {
    await using db = await openTestDatabase({ clock: clockAt(Date.UTC(2026, 10, 30)) });
    await Promise.all(
      [1, 2, 3].map(() => {
        db.knownMonths.clear();
        return ensurePartitions(db, Date.UTC(2021, 10, 30), Date.UTC(2022, 0, 1));
      }),
    );
    const names = await partitionsOf(db);
    for (const month of ['2021_11', '2021_12', '2022_01', '2026_11', '2026_12', '2027_01'])
      expect(names).toContain(`trade_${month}`);
  });

  it('fall whole when their time is over, one month after the other', async () => {
    const start = Date.UTC(2024, 0, 15);
    await using db = await openTestDatabase({ clock: clockAt(start) });
    const { symbol, trade } = scene();
    {
      await using writer = await openTestWriter(db, { clock: clockAt(start) });
      await writer.write([
        toRecord(trade(1, { exchangeTime: start })),
        toRecord(trade(2, { exchangeTime: start + 30 * DAY })),
      ]);
    }
    expect((await dropExpired(db, RETENTION, start + 700 * DAY)).dropped).toEqual([]);
    const run = await dropExpired(db, RETENTION, Date.UTC(2024, 1, 1) + RETENTION);
    expect(run).toEqual({ dropped: ['candle_2024_01', 'market_point_2024_01', 'trade_2024_01'], refused: null });
    expect(idsOf((await listTrades(db, pageOf(symbol))).trades)).toEqual(['2']);
    expect((await dropExpired(db, RETENTION, Date.UTC(2024, 1, 1) + RETENTION)).dropped).toEqual([]);
  });

  it('leave behind up to where nobody can go on reading', async () => {
    const start = Date.UTC(2024, 0, 15);
    await using db = await openTestDatabase({ clock: clockAt(start) });
    const { trade } = scene();
    const [old, young] = [{ exchangeTime: start }, { exchangeTime: start + 30 * DAY }];
    {
      await using writer = await openTestWriter(db, { clock: clockAt(start) });
      await writer.write([toRecord(trade(1, young)), toRecord(trade(2, old)), toRecord(trade(3, young))]);
    }
    const all = { exchange: null, symbols: null };
    expect((await tradesAfter(db, new Map(), all, 10)).trades).toHaveLength(3);
    await dropExpired(db, RETENTION, Date.UTC(2024, 1, 1) + RETENTION);
    await expect(tradesAfter(db, new Map(), all, 10)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await expect(tradesAfter(db, new Map([[0, 1n]]), all, 10)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(idsOf((await tradesAfter(db, new Map([[0, 2n]]), all, 10)).trades)).toEqual(['3']);
    expect((await tradesAfter(db, new Map([[0, 3n]]), all, 10)).trades).toEqual([]);
  });

  it('take with them what is known of their trades', async () => {
    const start = Date.UTC(2024, 0, 15);
    await using db = await openTestDatabase({ clock: clockAt(start) });
    const { symbol, trade } = scene();
    const at = [start, start + DAY, start + 30 * DAY, start + 31 * DAY];
    const stretch: Stretch = {
      ...{ first: 1n, last: 4n, status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', from: start, to: start + 31 * DAY },
      ...{ actual: 4, cause: null, gap: null, gapFoundAt: null },
    };
    {
      await using writer = await openTestWriter(db, { clock: clockAt(start) });
      await writer.write(
        at.map((exchangeTime, k) => toRecord(trade(k + 1, { exchangeTime }))),
        [{ exchange: 'okx', symbol, first: 1n, stretch }],
      );
    }
    const known = () =>
      listStretches(db, {
        ...{ exchange: 'okx', symbol, dataType: 'trade', from: new Date(start), to: new Date(start + 60 * DAY) },
      });
    expect(await known()).toEqual([stretch]);
    await dropExpired(db, RETENTION, Date.UTC(2024, 1, 1) + RETENTION);
    expect(await known()).toEqual([{ ...stretch, first: 3n, actual: 2, from: Date.UTC(2024, 1, 1) }]);
    expect(await coverageTotals(db, 'okx', symbol)).toEqual({ expected: 2n, stored: 2n });
  });

  it('stay when the clock jumps, unless the exchange agrees with it', async () => {
    const start = Date.UTC(2024, 0, 15);
    const later = Date.UTC(2027, 0, 15);
    let now = start;
    const clock = { ...systemClock, now: () => now };
    await using db = await openTestDatabase({ clock });
    const { trade } = scene();
    await using writer = await openTestWriter(db, { clock });
    await dropExpired(db, RETENTION, start + DAY);
    const before = await partitionsOf(db);
    const refused = await dropExpired(db, RETENTION, later);
    expect(refused.dropped).toEqual([]);
    expect(refused.refused).toContain('our clock says 2027-01-15');
    expect(await partitionsOf(db)).toEqual(before);
    now = later;
    await writer.write([toRecord(trade(1, { exchangeTime: later - 1_000 }))]);
    expect((await dropExpired(db, RETENTION, later)).dropped).toContain('trade_2024_01');
  });

  it('of an import into the past stay as long as those of today', async () => {
    const now = Date.UTC(2026, 10, 20);
    await using db = await openTestDatabase({ clock: clockAt(now) });
    await ensurePartitions(db, Date.UTC(2022, 9, 1), Date.UTC(2022, 9, 1));
    expect((await dropExpired(db, RETENTION, now + DAY)).dropped).not.toContain('trade_2022_10');
    expect(await partitionsOf(db)).toContain('trade_2022_10');
  });
});
