import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const packagesOf = (lockFile: string) =>
  Object.entries(
    (JSON.parse(readFileSync(`${ROOT}${lockFile}`, 'utf8')) as { readonly packages: Readonly<Record<string, Locked>> })
      .packages,
  ).filter(([path]) => path !== '');
const packages = packagesOf('package-lock.json');
const ofProduct = packages.filter(([, { dev, devOptional }]) => !dev && !devOptional);

/** More than there are, by little: a package that brings a hundred others should be noticed. */
const MOST = 130;
/** Versions before these have known holes. */
const FLOORS = { ws: [8, 21, 0], 'drizzle-orm': [1, 0, 0], graphql: [16, 8, 1] };

test.each(['package-lock.json', 'bench/package-lock.json'])(
  '%s takes every package from the registry, and names the hash of what must come from it',
  (file) => {
    for (const [path, { resolved, integrity }] of packagesOf(file)) {
      expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved, `${path} comes from elsewhere`).toBeUndefined();
    }
  },
);

test('no package of the product runs a script when it is installed', () => {
  expect(ofProduct.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
});

test('the product needs few packages', () => {
  expect(ofProduct.length).toBeLessThanOrEqual(MOST);
});

test.each(Object.entries(FLOORS))('%s is not older than what is safe', (name, floor) => {
  const { version = '' } = Object.fromEntries(packages)[`node_modules/${name}`] ?? {};
  const numbers = version.split(/[.-]/, 3).map(Number);
  const differs = numbers.findIndex((number, at) => number !== floor[at]);
  expect(differs < 0 || (numbers[differs] ?? 0) > (floor[differs] ?? 0), `${name} ${version}`).toBe(true);
});

test('no package of the product has a known hole of a high level', () => {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const { metadata, message } = read(stdout);
  if (!metadata) return console.log(`SKIPPED: the registry answers no audit (${message ?? 'no answer'})`);
  const { high = 0, critical = 0 } = metadata.vulnerabilities;
  expect({ high, critical }).toEqual({ high: 0, critical: 0 });
}, 90_000);

interface Audit {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly message?: string;
}

function read(text: string): Audit {
  try {
    return JSON.parse(text) as Audit;
  } catch {
    return {};
  }
}
