import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { exchangeCluster, findCluster, prepareDataDir } from '../../src/storage/embedded/data-dir.ts';

let scratch = '';
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tcp-data-dir-'));
});
afterEach(() => rm(scratch, { recursive: true }));

it('makes the data directory and those above it for their owner only', async () => {
  await prepareDataDir(join(scratch, 'above', 'data'));
  for (const made of ['above', 'above/data']) expect((await stat(join(scratch, made))).mode & 0o777).toBe(0o700);
});

it('refuses a data directory where a file stands, naming it and the way out', async () => {
  await writeFile(join(scratch, 'file'), '');
  await expect(prepareDataDir(join(scratch, 'file', 'data'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/file\/data cannot be used.*--data-dir/),
  });
});

it.runIf(process.platform === 'linux')('refuses one that takes no directories instead of trying for ever', async () => {
  await expect(prepareDataDir('/proc/tcp-dashboard')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

/** A cluster that can be told from others. */
async function cluster(name: string, word: string): Promise<string> {
  const directory = join(scratch, name);
  await mkdir(directory);
  await writeFile(join(directory, 'word'), word);
  return directory;
}
const wordIn = (name: string) => readFile(join(scratch, name, 'word'), 'utf8');

it('puts a restored cluster in the place of the present one, and keeps that', async () => {
  await cluster('postgres', 'present');
  const kept = await exchangeCluster(scratch, await cluster('new', 'restored'), Date.UTC(2026, 10, 28));
  expect(kept).toBe(join(scratch, 'postgres.until-2026-11-28T00-00-00Z'));
  expect([await wordIn('postgres'), await wordIn('postgres.until-2026-11-28T00-00-00Z')]).toEqual([
    'restored',
    'present',
  ]);
  expect(await exchangeCluster(join(scratch, 'postgres'), await cluster('newer', ''), 0)).toBeNull();
});

it('finishes an exchange that was interrupted between its two steps, and leaves one that had not begun', async () => {
  await cluster('postgres.restored', 'restored');
  await cluster('postgres', 'present');
  expect(await findCluster(scratch, systemClock.now(), silentLog)).toBe(true);
  expect(await wordIn('postgres')).toBe('present');
  await rename(join(scratch, 'postgres'), join(scratch, 'postgres.until-now'));
  expect(await findCluster(scratch, systemClock.now(), silentLog)).toBe(true);
  expect(await wordIn('postgres')).toBe('restored');
  expect((await readdir(scratch)).sort()).toEqual(['postgres', 'postgres.until-now']);
});
