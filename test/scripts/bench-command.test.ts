import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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

/** Every file that these load, itself included, and what else they load. */
function loadedBy(files: readonly URL[]): ReadonlyMap<string, readonly string[]> {
  const loaded = new Map<string, readonly string[]>();
  const open = [...files];
  for (let file = open.pop(); file; file = open.pop()) {
    if (loaded.has(file.href)) continue;
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type ).*?from '([^']+)'/gms);
    const specifiers = [...imports].flatMap(([, specifier]) => specifier ?? []);
    loaded.set(file.href, specifiers);
    for (const specifier of specifiers) if (specifier.startsWith('.')) open.push(new URL(specifier, file));
  }
  return loaded;
}

it('nothing that the benchmarks load loads Vitest, which ends a process that it did not start', () => {
  const folder = new URL('../../bench/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.includes('node_modules'),
  );
  const loaded = loadedBy(files.map((file) => new URL(file, folder)));
  expect(loaded.size).toBeGreaterThan(300);
  expect([...loaded].flatMap(([file, specifiers]) => (specifiers.includes('vitest') ? [file] : []))).toEqual([]);
});
