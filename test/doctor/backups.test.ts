import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type CatalogEntry, describe as describeBackup, nameAt, prepareDirectory } from '../../src/backup/catalog.ts';
import type { Config } from '../../src/config/config.ts';
import { checkBackups } from '../../src/doctor/backups.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { load } from '../config/load.ts';
import { temporary } from '../support/temporary.ts';

const HOUR = 3_600_000;
const PASSPHRASE = 'a long enough passphrase';
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

interface Given {
  /** Of the newest backup, hours; null for none. */
  readonly age?: number | null;
  readonly verified?: boolean;
  readonly every?: number | null;
  readonly env?: Readonly<Record<string, string>>;
  readonly recipients?: readonly string[];
}

async function look({
  age = 1,
  verified = true,
  every = 6,
  env = { BACKUP_PASSPHRASE: PASSPHRASE },
  recipients = [],
}: Given) {
  const directory = join(temporary(), 'backups');
  await prepareDirectory(directory);
  if (age !== null) {
    const taken = systemClock.now() - age * HOUR;
    const path = join(directory, nameAt(taken));
    writeFileSync(path, 'sealed', { mode: 0o600 });
    const takenAt = new Date(taken).toISOString();
    const entry = { takenAt, bytes: 6, tables: [], sha256: '', verifiedAt: verified ? takenAt : null };
    await describeBackup(path, entry as unknown as CatalogEntry);
  }
  const config = load({ env, file: { backup: { directory, every_hours: every, recipients } } });
  return { config, directory, levels: await levelsOf(config) };
}

const levelsOf = async (config: Config) =>
  Object.fromEntries((await checkBackups(config, systemClock)).map(({ check, level }) => [check, level]));

it('finds nothing wrong with a young backup', async () => {
  expect((await look({})).levels).toEqual({
    ...{ 'backup-schedule': 'ok', 'backup-keys': 'ok', 'backup-directory': 'ok', 'backup-age': 'ok' },
  });
});

it.each<[string, Given, object]>([
  ['there is no schedule', { every: null }, { 'backup-schedule': 'warn', 'backup-age': 'ok' }],
  ['there is none at all', { every: null, age: null, env: {} }, { 'backup-keys': 'warn', 'backup-age': 'warn' }],
  ['it cannot be opened here', { env: {}, recipients: [RECIPIENT] }, { 'backup-keys': 'warn' }],
  ['none was made', { age: null }, { 'backup-age': 'fail' }],
  ['it does not count', { verified: false }, { 'backup-age': 'fail' }],
  ['it is old', { age: 13 }, { 'backup-age': 'fail' }],
  ['it is of tomorrow', { age: -24 }, { 'backup-age': 'fail' }],
  ['it is old and nobody promised a young one', { age: 49, every: null }, { 'backup-age': 'warn' }],
])('tells when %s', async (_what, given, levels) => {
  expect((await look(given)).levels).toMatchObject(levels);
});

it('fails with recipients that are none', async () => {
  const wrong = `age1${'q'.repeat(58)}`;
  expect((await look({ env: {}, recipients: [wrong] })).levels).toMatchObject({ 'backup-keys': 'fail' });
});

it('tells when others can read the backups', async () => {
  const { config, directory } = await look({});
  chmodSync(directory, 0o755);
  expect(await levelsOf(config)).toMatchObject({ 'backup-directory': 'warn' });
});
