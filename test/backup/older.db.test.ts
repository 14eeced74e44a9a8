import { expect, it } from 'vitest';
import { restoreBackup, verifyBackup } from '../../src/backup/restore-backup.ts';
import { takeBackup } from '../../src/backup/take-backup.ts';
import { Connection } from '../../src/storage/connections.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { readDatabaseUrl } from '../../src/storage/database-url.ts';
import { EmbeddedServer } from '../../src/storage/embedded/embedded-server.ts';
import { knownMigrations, migrateUpTo } from '../../src/storage/migrate.ts';
import { freshOptions } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';
import { newKeys } from './keys.ts';
import { asked, emptyPlace, everything, TABLES } from './places.ts';

const ROWS = `
  create table tcp_dashboard.trade_2026_11 (like tcp_dashboard.trade including defaults);
  create unique index on tcp_dashboard.trade_2026_11 (instrument_id, trade_id);
  alter table tcp_dashboard.trade attach partition tcp_dashboard.trade_2026_11 for values from ('2026-11-01Z') to ('2026-12-01Z');
  insert into tcp_dashboard.partition values ('trade_2026_11', 'trade', '2026-11-01Z', '2026-12-01Z', '2026-11-01Z');
  insert into tcp_dashboard.instrument (exchange, symbol, kind) values ('okx', 'BTC-USDT', 'market');
  insert into tcp_dashboard.writer values (0, 3, 2, '2026-11-01Z');
  insert into tcp_dashboard.trade select n, '2026-11-20Z', '2026-11-20Z', '2026-11-20Z', 1, 1, 'b', 'l', n, n + 0.10, 2, null from generate_series(1, 2) n`;

it('comes back with the tables it had, and is brought up to date then', async () => {
  const [place, keys] = [await emptyPlace(), await newKeys()];
  {
    await using opening = new AsyncDisposableStack();
    const address =
      place.url === null
        ? opening.use(await EmbeddedServer.start(place.dataDir, place.clock, place.log)).address
        : readDatabaseUrl(place.url);
    const connection = await Connection.open(address, { name: 'old', statementMs: null, answerMs: null });
    const [first = ''] = await knownMigrations();
    await connection.handle.transaction((tx) => migrateUpTo(tx, [first]));
    await connection.query({ text: ROWS });
    await connection.close();
  }
  const { path, entry } = await takeBackup({ ...asked(keys), place, directory: temporary() });
  expect(entry.migrations).toHaveLength(1);
  await verifyBackup({ ...asked(keys), place, path });

  const elsewhere = await emptyPlace();
  await restoreBackup({ ...asked(keys), place: elsewhere, path, replace: false, tables: TABLES });
  await using db = await openDatabase(await freshOptions(elsewhere));
  const { trade, candle, writer } = await everything(db.writers);
  expect(trade?.map((row) => JSON.parse(row).price)).toEqual([1.1, 2.1]);
  expect(candle).toHaveLength(3); // of a second, a minute and an hour
  expect(writer?.map((row) => JSON.parse(row).position)).toEqual([2]);
});
