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

test('npm run sbom names every package of the product, with its version and hash', () => {
  const { stdout } = spawnSync(process.execPath, ['scripts/launch.mjs', 'sbom'], { cwd: ROOT, encoding: 'utf8' });
  const { bomFormat, metadata, components } = JSON.parse(stdout) as Sbom;
  expect([bomFormat, metadata.component.name, metadata.component.type]).toEqual([
    'CycloneDX',
    'tcp-dashboard',
    'application',
  ]);
  const named = components.map(({ name, version, hashes }) => `${name}@${version} ${hashes?.[0]?.alg}`);
  const locked = ofProduct.map(
    ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version} SHA-512`,
  );
  expect([...new Set(named)].sort()).toEqual([...new Set(locked)].sort());
}, 30_000);

const setting = (name: string, folder = '') => npm(['config', 'get', name], `${ROOT}${folder}`).stdout.trim();

test.each(['', 'bench'])('in "%s" npm runs no script of a package', (folder) => {
  expect(setting('ignore-scripts', folder)).toBe('true');
});

// Not of the benchmarks' peers: they are measured as people would install them today.
test('npm chooses no version of the product that is younger than a week', () => {
  expect(setting('min-release-age')).toBe('7');
});

test('no package of the product has a known hole of a high level', () => {
  const { metadata, message } = read<Audit>(npm(['audit', '--omit=dev', '--json']).stdout);
  if (!metadata) return console.log(`SKIPPED: the registry answers no audit (${message ?? 'no answer'})`);
  const { high = 0, critical = 0 } = metadata.vulnerabilities;
  expect({ high, critical }).toEqual({ high: 0, critical: 0 });
}, 90_000);

test('every package of the product is signed by the registry', () => {
  const asked = npm(['audit', 'signatures', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=10000']);
  const { invalid, missing, error } = read<Signatures>(asked.stdout);
  if (!invalid) return console.log(`SKIPPED: the registry tells of no signatures (${error?.summary ?? 'no answer'})`);
  expect({ invalid, missing }).toEqual({ invalid: [], missing: [] });
}, 90_000);

interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly type: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly hashes?: readonly { readonly alg: string }[];
  }[];
}

interface Audit {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly message?: string;
}

interface Signatures {
  readonly invalid?: readonly unknown[];
  readonly missing?: readonly unknown[];
  readonly error?: { readonly summary: string };
}

const npm = (args: readonly string[], cwd = ROOT) => spawnSync('npm', args, { cwd, encoding: 'utf8', timeout: 60_000 });

function read<T extends object>(text: string): Partial<T> {
  try {
    return JSON.parse(text) as T;
  } catch {
    return {};
  }
}
