import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  type CatalogEntry,
  describe as describeBackup,
  listBackups,
  nameAt,
  prepareDirectory,
  prune,
} from '../../src/backup/catalog.ts';
import { writeSealed } from '../../src/backup/sealed-file.ts';
import { openScratch } from '../../src/storage/backup/places.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { temporary } from '../support/temporary.ts';
import { newKeys } from './keys.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 28);

/** A directory with backups so many days old; those with a + are verified. Its function prunes and tells which are left, oldest first. */
async function directoryOf(...ages: readonly string[]) {
  const directory = join(temporary(), 'backups');
  await prepareDirectory(directory);
  for (const age of ages) {
    const time = NOW - Number.parseInt(age, 10) * DAY;
    const path = join(directory, nameAt(time));
    writeFileSync(path, age);
    const entry = {
      ...{ takenAt: new Date(time).toISOString(), bytes: age.length, tables: [], sha256: '' },
      verifiedAt: age.endsWith('+') ? new Date(time).toISOString() : null,
    };
    await describeBackup(path, entry as unknown as CatalogEntry);
  }
  return {
    directory,
    left: async (keep: number, keepDays: number) => {
      await prune(directory, { keep, keepDays }, NOW);
      const listed = await listBackups(directory);
      return listed.map(
        ({ takenAt, verifiedAt }) => `${(NOW - Date.parse(takenAt)) / DAY}${verifiedAt === null ? '' : '+'}`,
      );
    },
  };
}

it.each([
  [['1+', '2+', '3+', '4+'], 2, 30, ['1+', '2+']],
  [['1+', '10+', '31+', '32+'], 7, 30, ['1+', '10+']],
  [['40+', '50+'], 7, 30, ['40+']],
  // What was never verified takes the place of none that was.
  [['1', '2', '3', '40+'], 2, 30, ['1', '2', '40+']],
  [['31', '32'], 7, 30, ['31']],
  [['1+', '2', '3+'], 1, 30, ['1+', '2']],
])('keeps of %j with %i and %i days: %j', async (ages, keep, keepDays, left) => {
  const { left: leftOf } = await directoryOf(...ages);
  expect(await leftOf(keep, keepDays)).toEqual(left);
});

it('clears what a killed backup left, a day later, and nothing that is not ours', async () => {
  const { directory, left } = await directoryOf('1+');
  const files = ['tcp-dashboard-2026-11-01T00-00-00-000Z.tar.zst.age.part', `${nameAt(NOW)}.part`, 'notes.txt'];
  const paths = files.map((name) => join(directory, name));
  for (const path of paths) writeFileSync(path, '');
  for (const path of [paths[0], paths[2]]) utimesSync(path ?? '', 0, (NOW - 2 * DAY) / 1_000);
  utimesSync(paths[1] ?? '', 0, NOW / 1_000);
  await left(7, 30);
  expect(paths.map((path) => existsSync(path))).toEqual([false, true, true]);
});

it('does not list what is not as its description says', async () => {
  const { directory } = await directoryOf('1+', '2+');
  writeFileSync(join(directory, nameAt(NOW - DAY)), 'longer than it was');
  expect(await listBackups(directory)).toMatchObject([{ file: nameAt(NOW - 2 * DAY) }]);
});

it('narrows its directory to its owner', async () => {
  const directory = temporary();
  await prepareDirectory(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

it('lists nothing where nothing is', async () => {
  expect(await listBackups(join(temporary(), 'none'))).toEqual([]);
});

it('lists and prunes beside somebody who lets one go meanwhile', async () => {
  const { directory, left } = await directoryOf('1+', '2+');
  for (const name of [nameAt(NOW), `${nameAt(NOW)}.part`]) symlinkSync('gone', join(directory, name)); // there until it is looked at
  expect(await listBackups(directory)).toHaveLength(2);
  expect(await left(7, 30)).toEqual(['1+', '2+']);
});

it.runIf(process.getuid?.() === 0)('leaves what root makes to the owner of the place', async () => {
  const place = join(temporary(), 'place');
  mkdirSync(place);
  chownSync(place, 1_234, 1_235);
  const directory = join(place, 'backups');
  await prepareDirectory(directory);
  const path = join(directory, nameAt(NOW));
  await writeSealed(path, (async function* () {})(), await newKeys(), NOW);
  await describeBackup(path, {} as CatalogEntry);
  {
    await using _scratch = await openScratch(place, new ManualClock());
  }
  const made = readdirSync(place, { recursive: true, encoding: 'utf8' });
  expect(made.toSorted()).toEqual([
    'backup-scratch',
    'backup-scratch/server.lock',
    'backups',
    `backups/${nameAt(NOW)}`,
    `backups/${nameAt(NOW)}.json`,
  ]);
  for (const name of made) expect(statSync(join(place, name)), name).toMatchObject({ uid: 1_234, gid: 1_235 });
});
