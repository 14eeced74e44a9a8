import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../scripts/launch.mjs', import.meta.url));

it.concurrent.each([
  ['start', 'npm start'],
  ...['demo', 'backfill', 'export', 'backup', 'doctor', 'restore', 'token', 'simulator'].map((name) => [
    name,
    `npm run ${name}`,
  ]),
])('%s --help names %s, starts nothing and ends well', async (name, called) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [LAUNCHER, name, '--help']);
  expect(stdout).toMatch(new RegExp(`^Usage: ${called} -- \\[options\\]`));
  expect(stderr).toBe('');
});

it('demo names no variable that it does not hear', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [LAUNCHER, 'demo', '--help']);
  expect(stdout.match(/[A-Z]+(?:_[A-Z]+)+|HOST|PORT/g)).toEqual(['HOST', 'PORT']);
});

it('demo tells how to get its own help where a flag is unknown', async () => {
  await expect(promisify(execFile)(process.execPath, [LAUNCHER, 'demo', '--prot', '1'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('See npm run demo -- --help'),
  });
});
