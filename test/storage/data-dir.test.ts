import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prepareDataDir } from '../../src/storage/embedded/data-dir.ts';

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
