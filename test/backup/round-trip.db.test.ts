import { chownSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listBackups } from '../../src/backup/catalog.ts';
import type { BackupKeys } from '../../src/backup/keys.ts';
import { restoreBackup, verifyBackup } from '../../src/backup/restore-backup.ts';
import { type Backup, takeBackup } from '../../src/backup/take-backup.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openTestWriter } from '../storage/test-writer.ts';
import { freshOptions, hasTestDatabase, testDatabaseKind } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';
import { type Filled, openFilled } from './filled.ts';
import { newKeys } from './keys.ts';
import { asked, emptyPlace, everything, TABLES } from './places.ts';

const TRADES = 11_000; // more than two pages

describe('a backup', () => {
  let source: Filled;
  let keys: BackupKeys;
  let backup: Backup;
  const directory = temporary();

  if (hasTestDatabase)
    beforeAll(async () => {
      keys = await newKeys();
      source = await openFilled(TRADES);
      const before = process.umask(0);
      backup = await takeBackup({ ...asked(keys), place: source.place, directory: join(directory, 'made') });
      process.umask(before);
    });
  afterAll(() => source?.[Symbol.asyncDispose]());

  it('says what is in it, and shows nothing of it', () => {
    const { tables, positions, newestTrade, migrations } = backup.entry;
    expect(Object.fromEntries(tables.map(({ name, rows }) => [name, rows]))).toMatchObject({
      ...{ trade: TRADES, instrument: 2, market_point: 2, collector: 5, refused_row: 1, writer: 1, coverage: 6 },
    });
    expect(positions).toEqual({ 0: String(TRADES) });
    expect(newestTrade).toMatch(/^2026-11-20T12:00/);
    expect(migrations).toEqual(readdirSync(new URL('../../drizzle', import.meta.url)).sort());
    const bytes = readFileSync(backup.path);
    expect(bytes.toString('latin1', 0, 21)).toBe('age-encryption.org/v1');
    expect(['BTC-USDT', 'trade', 'manifest'].filter((word) => bytes.includes(word))).toEqual([]);
  });

  it('is for its owner only, whatever the umask', async () => {
    const made = join(directory, 'made');
    const modes = await Promise.all((await readdir(made)).map(async (name) => statSync(join(made, name)).mode & 0o777));
    expect(modes).toEqual([0o600, 0o600]);
    expect(statSync(made).mode & 0o777).toBe(0o700);
    expect(statSync(join(source.place.dataDir, 'backup-scratch')).mode & 0o777).toBe(0o700);
    expect(await readdir(join(source.place.dataDir, 'backup-scratch'))).toEqual(['server.lock']);
  });

  it('counts once it was restored into a scratch database and is the same', async () => {
    expect((await listBackups(join(directory, 'made')))[0]).toMatchObject({ path: backup.path, verifiedAt: null });
    await verifyBackup({ ...asked(keys), place: source.place, path: backup.path });
    const [listed] = await listBackups(join(directory, 'made'));
    expect(listed?.verifiedAt).toMatch(/^20/);
    expect(listed?.entry.hashes).toEqual(backup.entry.hashes);
  });

  it('that root restores belongs to the owner of the directory', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root gives files away');
    const place = await emptyPlace();
    const above = dirname(place.dataDir);
    chownSync(above, 1_234, 1_235);
    for (const replace of [false, true])
      await restoreBackup({ ...asked(keys), ...{ place, path: backup.path, replace, tables: TABLES } });
    const made = readdirSync(above, { recursive: true, encoding: 'utf8' });
    expect(made.length).toBeGreaterThan(testDatabaseKind() === 'embedded' ? 1_000 : 1);
    const foreign = made.filter((name) => {
      const { uid, gid } = lstatSync(join(above, name));
      return uid !== 1_234 || gid !== 1_235;
    });
    expect(foreign).toEqual([]);
  }, 120_000);

  it('comes back elsewhere row by row, and the next server gives no number twice', async () => {
    const place = await emptyPlace();
    const progress: number[] = [];
    const restored = await restoreBackup({
      ...asked(keys, ({ done, total }) => progress.push(done / total)),
      ...{ place, path: backup.path, replace: false, tables: TABLES },
    });
    expect(restored.kept).toBeNull();
    expect(progress.at(-1)).toBe(1);

    await using db = await openDatabase(await freshOptions(place));
    const [was, is] = [await everything(source.db.writers), await everything(db.writers)];
    expect({ ...is, writer: [], maintenance: [], partition: [] }).toEqual({
      ...was,
      ...{ writer: [], maintenance: [], partition: [] },
    });
    expect(is.partition).toEqual(expect.arrayContaining([...(was.partition ?? [])]));

    const begun = Date.now();
    await using writer = await openTestWriter(db);
    expect(writer.writer).toBe(1); // the slot of the past is nobody's any more
    expect(writer.position).toBeGreaterThan(BigInt(begun - 600_000) * 64n);
    await expect(openTestWriter(db, { owner: 'the spool of before', writer: 0 })).rejects.toMatchObject({
      code: 'WRITER_FENCED',
    });
  });
});
