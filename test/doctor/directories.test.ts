import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDirectory, checkDisk, checkOwner, freeBytes } from '../../src/doctor/directories.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { DataDirLock } from '../../src/storage/embedded/data-dir-lock.ts';
import { temporary } from '../support/temporary.ts';

const GB = 1e9;
const look = (directory: string, isPrivate = true) =>
  checkDirectory('data-directory', directory, { isPrivate, setting: '--data-dir' });

describe('a directory', () => {
  it('is fine when it can be written and is closed to others, and is left as it was', async () => {
    const directory = temporary();
    writeFileSync(join(directory, 'server.lock'), '', { mode: 0o600 });
    expect(await look(directory)).toMatchObject({ level: 'ok', found: expect.stringContaining('(700)') });
    expect(readdirSync(directory)).toEqual(['server.lock']);
  });

  it('may be made later', async () => {
    expect(await look(join(temporary(), 'not', 'there'))).toMatchObject({ level: 'ok' });
  });

  it('is told when others can read it', async () => {
    const directory = temporary();
    chmodSync(directory, 0o755);
    expect(await look(directory)).toMatchObject({ level: 'warn', advice: expect.stringContaining('chmod 700') });
    expect(await look(directory, false)).toMatchObject({ level: 'ok' });
    expect(statSync(directory).mode & 0o777).toBe(0o755);
  });

  it('is told when others can read a file in it', async () => {
    const directory = temporary();
    writeFileSync(join(directory, 'trades'), '', { mode: 0o644 });
    expect(await look(directory)).toMatchObject({ level: 'warn', found: expect.stringContaining('trades') });
  });

  it('is told when it is of another user than the one who asks', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root gives directories away');
    const directory = temporary();
    chownSync(directory, 65_534, 65_534);
    expect(await look(directory)).toMatchObject({ level: 'warn', found: expect.stringContaining('user 65534') });
  });

  it('fails where it is none, or lies in what is none', async () => {
    const file = join(temporary(), 'file');
    writeFileSync(file, '');
    expect(await look(file)).toMatchObject({ level: 'fail', found: expect.stringContaining('is no directory') });
    expect(await look(join(file, 'inner'))).toMatchObject({
      level: 'fail',
      advice: expect.stringContaining('--data-dir'),
    });
  });
});

describe('the owner of a data directory', () => {
  it('is nobody while no server runs', async () => {
    const directory = temporary();
    expect(await checkOwner(directory, systemClock)).toMatchObject({ level: 'ok', found: 'nobody' });
    expect(readdirSync(directory)).toEqual([]);
    {
      using _lock = await DataDirLock.take(directory, systemClock);
    }
    expect(await checkOwner(directory, systemClock)).toMatchObject({ level: 'ok', found: 'nobody' });
    expect(await checkOwner(join(directory, 'none'), systemClock)).toMatchObject({ level: 'ok', found: 'nobody' });
  });

  it('is named while one does', async () => {
    const directory = temporary();
    using _lock = await DataDirLock.take(directory, systemClock);
    expect((await checkOwner(directory, systemClock)).found).toContain(`process ${process.pid}`);
  });

  it('cannot be told where there is no directory to lock', async () => {
    const file = join(temporary(), 'file');
    writeFileSync(file, '');
    expect(await checkOwner(file, systemClock)).toMatchObject({ level: 'fail' });
  });
});

describe('a disk', () => {
  const place = { of: 'data', directory: join(temporary(), 'later'), wanted: 4 * GB };

  it.each([
    [10 * GB, 'ok'],
    [2 * GB, 'warn'],
    [0.1 * GB, 'fail'],
  ] as const)('with %d bytes left is %s', async (left, level) => {
    expect(await checkDisk([place], () => Promise.resolve(left))).toMatchObject([{ check: 'disk', of: 'data', level }]);
  });

  it('is asked where the directory will be', async () => {
    mkdirSync(place.directory, { recursive: true });
    expect(await freeBytes(place.directory)).toBeGreaterThan(0);
  });
});
