import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
const bench = (...args: string[]) => spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });

it('npm run bench measures nothing for --help', () => {
  expect(bench('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: npm run bench/) });
});

it.each([['nonsense'], ['toString'], ['--rouns', '3'], ['--rounds', 'many'], ['ingest', 'store']])(
  'npm run bench measures nothing for %s %s',
  (...args) => {
    expect(bench(...args)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: npm run bench'),
    });
  },
);
