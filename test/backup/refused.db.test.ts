import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { BackupKeys } from '../../src/backup/keys.ts';
import { restoreBackup } from '../../src/backup/restore-backup.ts';
import { readSealed, writeSealed } from '../../src/backup/sealed-file.ts';
import { type Backup, takeBackup } from '../../src/backup/take-backup.ts';
import type { Entry } from '../../src/backup/tar.ts';
import type { Place } from '../../src/storage/backup/places.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openTestWriter } from '../storage/test-writer.ts';
import { freshOptions, hasTestDatabase, testDatabaseKind } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';
import { startCommand } from './command.ts';
import { openFilled } from './filled.ts';
import { newKeys } from './keys.ts';
import { asked, everything, fingerprint, TABLES } from './places.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

describe('a restore over present data', () => {
  const directory = temporary();
  let keys: BackupKeys;
  let backup: Backup;
  let present: Place;
  let before: string;

  if (hasTestDatabase)
    beforeAll(async () => {
      keys = await newKeys();
      await using source = await openFilled(300);
      backup = await takeBackup({ ...asked(keys), place: source.place, directory });
      present = await filledAndClosed();
      before = await fingerprint(present);
    });

  const filledAndClosed = async () => {
    await using filled = await openFilled(20);
    return filled.place;
  };

  const restore = (path: string, own: BackupKeys = keys, replace = true) =>
    restoreBackup({ ...asked(own), place: present, path, replace, tables: TABLES });
  const damaged = (name: string, change: (bytes: Buffer) => Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, change(readFileSync(backup.path)));
    return path;
  };
  const flipped = (at: number) => (bytes: Buffer) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  /** Still a key, as its text stays base64: just not the one it was sealed for. */
  const otherLetter = (at: number) => (bytes: Buffer) => {
    bytes.write(bytes[at] === 'A'.charCodeAt(0) ? 'B' : 'A', at);
    return bytes;
  };
  /** Sealed by somebody who has the key: what is inside is not what was backed up. */
  const altered = async (name: string, change: (entry: Entry) => readonly Entry[]): Promise<string> => {
    const path = join(directory, name);
    const entries = async function* () {
      for await (const entry of readSealed(backup.path, keys)) yield* change(entry);
    };
    await writeSealed(path, entries(), keys, Date.now());
    return path;
  };
  const edited = (entry: Entry, edit: object): Entry => ({
    ...entry,
    bytes: Buffer.from(JSON.stringify({ ...JSON.parse(entry.bytes.toString()), ...edit })),
  });

  it.each([
    ['in its head', flipped, 150, 'BACKUP_DAMAGED'],
    ['in its key', otherLetter, 60, 'BACKUP_KEY_WRONG'],
    ['in the first piece', flipped, 400, 'BACKUP_DAMAGED'],
    ['near its end', flipped, -10, 'BACKUP_DAMAGED'],
  ])('refuses a byte that was changed %s', async (_where, changed, at, code) => {
    const path = damaged('flipped', (bytes) => changed(at < 0 ? bytes.length + at : at)(bytes));
    await expect(restore(path)).rejects.toMatchObject({ code });
    expect(await fingerprint(present)).toBe(before);
  });

  it.each([0, 100, 300, -30])('refuses a file that was cut (%s)', async (at) => {
    const path = damaged('cut', (bytes) => bytes.subarray(0, at < 0 ? bytes.length + at : at));
    await expect(restore(path)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(await fingerprint(present)).toBe(before);
  });

  it('refuses the wrong key, and says which variable gives the right one', async () => {
    const refusal = restore(backup.path, await newKeys());
    await expect(refusal).rejects.toMatchObject({ code: 'BACKUP_KEY_WRONG' });
    await expect(refusal).rejects.toThrow(/BACKUP_IDENTITY/);
    await expect(restore(backup.path, { recipients: [], passphrase: null, identity: null })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(await fingerprint(present)).toBe(before);
  });

  it.each([
    ['tables of a newer version', { migrations: ['20261123182808_first_tables', '29991231000000_later'] }],
    ['a newer format', { format: 2 }],
  ])('refuses %s', async (_what, edit) => {
    const path = await altered('newer', (entry) => [entry.name === 'contents.json' ? edited(entry, edit) : entry]);
    await expect(restore(path)).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
    expect(await fingerprint(present)).toBe(before);
  });

  it.each([
    ['a page less', (entry: Entry) => (entry.name.startsWith('tables/trade/') ? [] : [entry])],
    ['no manifest', (entry: Entry) => (entry.name === 'manifest.json' ? [] : [entry])],
    [
      'another price',
      (entry: Entry) =>
        entry.name.startsWith('tables/trade/')
          ? [{ ...entry, bytes: Buffer.from(entry.bytes.toString().replace('5100.10', '5101.10')) }]
          : [entry],
    ],
  ])('refuses a sealed file with %s', async (_what, change) => {
    const path = await altered('altered', change);
    await expect(restore(path)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(await fingerprint(present)).toBe(before);
  });

  it('refuses to be in the way of what is there, unless told so', async () => {
    const refusal = restore(backup.path, keys, false);
    await expect(refusal).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
    await expect(refusal).rejects.toThrow(/--replace/);
    expect(await fingerprint(present)).toBe(before);
  });

  it('refuses while a server is at work', async () => {
    await using db = await openDatabase(await freshOptions(present));
    await using _writer = await openTestWriter(db);
    await expect(restore(backup.path)).rejects.toMatchObject({
      code: testDatabaseKind() === 'embedded' ? 'DATA_DIR_IN_USE' : 'RESTORE_REFUSED',
    });
  });

  it('leaves what is there as it was when it is killed in the middle', async () => {
    before = await fingerprint(present);
    const command = startCommand('restore', ['--replace', backup.path], {
      ...(present.url !== null && { DATABASE_URL: present.url }),
      ...{ DATA_DIR: present.dataDir, BACKUP_IDENTITY: keys.identity?.reveal() ?? '' },
    });
    const sign = testDatabaseKind() === 'embedded' ? 'restored/postgres' : 'server.pid';
    await vi.waitFor(() => expect(existsSync(join(present.dataDir, 'backup-scratch', sign))).toBe(true), PATIENT);
    command.process.kill('SIGKILL');
    await command.exit;
    expect(await fingerprint(present)).toBe(before);
  });

  it('ends early when it is told so, and leaves nothing', async () => {
    before = await fingerprint(present);
    const asking = { ...asked(keys), interrupted: AbortSignal.abort(new Error('Ctrl-C')) };
    await expect(
      restoreBackup({ ...asking, place: present, path: backup.path, replace: true, tables: TABLES }),
    ).rejects.toThrow('Ctrl-C');
    expect(await fingerprint(present)).toBe(before);
    const empty = temporary();
    await expect(takeBackup({ ...asking, place: present, directory: empty })).rejects.toThrow('Ctrl-C');
    expect(await readdir(empty)).toEqual([]);
  });

  it('keeps what was there under another name', async () => {
    const { kept } = await restore(backup.path);
    const rows = async (options: Partial<Place>) => {
      await using db = await openDatabase(await freshOptions(options));
      return { all: await everything(db.writers), kept: kept ?? '', db: db.kind };
    };
    const now = await rows(present);
    expect(now.all.trade).toHaveLength(300);
    if (now.db === 'embedded') expect(kept).toMatch(/postgres\.until-/);
    else {
      await using db = await openDatabase(await freshOptions(present));
      expect((await everything(db.writers, kept ?? '')).trade).toHaveLength(20);
    }
  });
});
