import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { verifyBackup } from '../../src/backup/restore-backup.ts';
import { takeBackup } from '../../src/backup/take-backup.ts';
import { withSnapshot } from '../../src/storage/backup/snapshot.ts';
import { administer, freshDatabaseUrl, testDatabaseKind } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';
import { openFilled } from './filled.ts';
import { newKeys } from './keys.ts';
import { asked } from './places.ts';

describe.skipIf(testDatabaseKind() !== 'postgres')('a backup of native Postgres', () => {
  it('is the same in a database with another alphabet, time zone and way to write dates', async () => {
    const url = await freshDatabaseUrl(
      "template template0 encoding 'UTF8' locale 'C' locale_provider icu icu_locale 'en-US'",
    );
    const name = new URL(url).pathname.slice(1);
    await administer(`alter database ${name} set timezone = 'Asia/Kolkata'`);
    await administer(`alter database ${name} set datestyle = 'SQL, DMY'`);
    await using source = await openFilled(20, { url });
    const keys = await newKeys();
    const { path } = await takeBackup({ ...asked(keys), place: source.place, directory: temporary() });
    await verifyBackup({ ...asked(keys), place: source.place, path });
  });

  it('is of one moment: what comes meanwhile is not in it, and retention takes nothing out of it', async () => {
    await using source = await openFilled(6_000);
    const connection = await source.db.connect('snapshot');
    const rows = await withSnapshot(connection, async ({ state, pages }) => {
      await source.record(6_001, 100);
      const dropped = source.db.writers.transaction(async (tx) => {
        await tx.execute(sql`set local lock_timeout = '200ms'`);
        await tx.execute(sql`drop table tcp_dashboard.trade_2026_10`);
      });
      await expect(dropped).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      expect(state.positions).toEqual({ 0: '6000' });
      const [trade] = state.tables.filter(({ name }) => name === 'trade');
      if (trade === undefined) throw new Error('trades are not listed');
      return (await Array.fromAsync(pages(trade))).map((page) => page.rows);
    });
    expect(rows).toEqual([5_000, 1_000]);
    await connection.close();
  });
});
