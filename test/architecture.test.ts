import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

/** What each room of src/ may import besides itself. Files directly in src/ and src/cli know everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  market: ['runtime'],
  exchanges: ['market', 'runtime'],
  storage: ['market', 'runtime'],
  collectors: ['exchanges', 'market', 'runtime'],
  pipeline: ['storage', 'market', 'runtime'],
  candles: ['pipeline', 'storage', 'market', 'runtime'],
  export: ['candles', 'pipeline', 'storage', 'market', 'runtime'],
  backup: ['storage', 'runtime'],
  access: ['runtime'],
  telemetry: ['runtime'],
  graphql: ['access', 'candles', 'collectors', 'exchanges', 'market', 'pipeline', 'runtime', 'storage'],
  server: ['access', 'export', 'graphql', 'runtime'],
  simulator: ['exchanges', 'market', 'runtime'],
  config: ['exchanges', 'market', 'runtime'],
  doctor: ['access', 'backup', 'collectors', 'config', 'exchanges', 'runtime', 'storage'],
};
const KNOWS_EVERYTHING = ['', 'cli'];

/** Rooms with rooms of their own, the lowest first: each may import those before it. '' are the files of the room itself. */
const STOREYS: Readonly<Record<string, readonly string[]>> = {
  collectors: ['pacing', 'rest', 'connection', 'watch', '', 'backfill'],
  pipeline: ['stream', 'ledger', 'spool', 'intake', 'drain', 'events', 'live', 'feed', ''],
};

/** Packages only one room may import. */
const OWNED_PACKAGES: Readonly<Record<string, string>> = {
  'drizzle-orm': 'storage',
  pg: 'storage',
  'pg-copy-streams': 'storage',
  'age-encryption': 'backup',
  jose: 'access',
  '@electric-sql/pglite': 'storage',
  '@pothos/core': 'graphql',
  pino: 'runtime',
  '@opentelemetry/api': 'telemetry',
  '@opentelemetry/core': 'telemetry',
  '@opentelemetry/exporter-trace-otlp-http': 'telemetry',
  '@opentelemetry/resources': 'telemetry',
  '@opentelemetry/sdk-trace': 'telemetry',
};

/** Time, chance and sockets come in through these files; everybody else is handed a clock, a random source or a function. */
const SEAMS: Readonly<Record<string, readonly string[]>> = {
  'runtime/clock.ts': ['Date.now', 'performance.now', 'setInterval', 'setTimeout'],
  'collectors/connection/socket.ts': ['new WebSocket'],
  // Defaults of those who may also be used as a library.
  'app.ts': ['Math.random'],
  'collectors/collector-environment.ts': ['Math.random'],
  'cli/client-command.ts': ['fetch'],
  // Deadlines for something outside that does not end: real time is the point.
  'cli/run-until-signal.ts': ['setTimeout'],
  'simulator/host.ts': ['setTimeout'],
  'storage/connections.ts': ['setTimeout'],
  'storage/embedded/embedded-server.ts': ['setTimeout'],
  'storage/embedded/wire-server.ts': ['setTimeout'],
};
const AMBIENT =
  /\b(?:Date\.now|performance\.now|Math\.random|new WebSocket|new Date(?=\(\)))\b|(?<![\w.#])(?:setTimeout|setInterval|fetch)(?=\()/g;

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();

const code = (file: string) =>
  readFileSync(join(src, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(?<![:'"])\/\/.*$/gm, '');

const roomOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '');

/** What a file imports, exports from, starts as a worker or reads beside itself. */
const importsOf = (file: string): readonly string[] =>
  [...code(file).matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)'([^']+)'/g)].map((match) => match[1] ?? '');

const filesImportedBy = (file: string): readonly string[] =>
  importsOf(file)
    .filter((path) => path.startsWith('.'))
    .map((path) => relative(src, join(src, dirname(file), path)).replaceAll('\\', '/'))
    .filter((path) => !path.startsWith('..'));

const roomsImportedBy = (file: string): readonly string[] => filesImportedBy(file).map(roomOf);

const packageOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

describe('the architecture', () => {
  it('has files to look at', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(roomsImportedBy('app.ts')).toContain('storage');
    expect(importsOf('storage/tables.ts')).toContain('drizzle-orm/pg-core');
  });

  it('gives every room a row in its table', () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => !KNOWS_EVERYTHING.includes(room)).sort()).toEqual(
      Object.keys(MAY_IMPORT).sort(),
    );
  });

  it('lets no file import a stranger', () => {
    const strangers = files.flatMap((file) => {
      const room = roomOf(file);
      if (KNOWS_EVERYTHING.includes(room)) return [];
      const others = roomsImportedBy(file).filter((other) => other !== room && !MAY_IMPORT[room]?.includes(other));
      return others.map((other) => `src/${file} imports ${other === '' ? 'a file of src/ itself' : `src/${other}`}`);
    });
    expect(strangers).toEqual([]);
  });

  it.each(Object.entries(STOREYS))('lets imports within src/%s go one way', (room, storeys) => {
    const storeyOf = (file: string) => dirname(file).slice(room.length + 1);
    const inside = files.filter((file) => roomOf(file) === room);
    expect([...new Set(inside.map(storeyOf))].sort()).toEqual([...storeys].sort());
    const upwards = inside.flatMap((file) =>
      filesImportedBy(file)
        .filter((other) => roomOf(other) === room && storeys.indexOf(storeyOf(other)) > storeys.indexOf(storeyOf(file)))
        .map((other) => `src/${file} imports src/${other}`),
    );
    expect(upwards).toEqual([]);
  });

  it.each(Object.entries(OWNED_PACKAGES))('keeps %s inside src/%s', (owned, room) => {
    const importers = files.filter((file) => importsOf(file).some((specifier) => packageOf(specifier) === owned));
    expect(importers.filter((file) => roomOf(file) !== room)).toEqual([]);
    expect(importers.length).toBeGreaterThan(0);
  });

  it('lets time, chance and sockets in only through the seams', () => {
    const used = files.flatMap((file) => {
      const names = new Set([...code(file).matchAll(AMBIENT)].map(([name]) => name));
      return names.size === 0 ? [] : [[file, [...names].sort()] as const];
    });
    expect(Object.fromEntries(used)).toEqual(SEAMS);
  });

  it('verifies the certificate of everybody it connects to', () => {
    const turnedOff =
      /rejectUnauthorized(?!: true)|checkServerIdentity|NODE_TLS_REJECT_UNAUTHORIZED|sslmode=(?:no-verify|require)/;
    // Asks whoever listens on this machine whether it is a server of ours, and tells it nothing.
    expect(files.filter((file) => turnedOff.test(code(file)))).toEqual(['doctor/answering.ts']);
    expect(files.filter((file) => code(file).includes('rejectUnauthorized: true'))).toEqual([
      'collectors/connection/socket.ts',
      'runtime/outgoing-fetch.ts',
    ]);
  });

  it('gives Drizzle its client by name: it ignores any other argument and connects to localhost instead', () => {
    const calls = files.flatMap((file) => [...code(file).matchAll(/\bdrizzle\(.{0,20}/g)].map(([call]) => call));
    expect(calls.filter((call) => !/^drizzle\(\{ ?client\b/.test(call))).toEqual([]);
  });

  it('is described, room by room, in docs/architecture.md', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const stated = [...text.matchAll(/^\| `src\/(\w+)` \| [^|]+ \| ([^|]+) \|$/gm)].map(([, room, allowed]) => [
      room,
      [...(allowed ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name).sort(),
    ]);
    expect(Object.fromEntries(stated)).toEqual(
      Object.fromEntries(Object.entries(MAY_IMPORT).map(([room, allowed]) => [room, [...allowed].sort()])),
    );
  });

  it("installs one copy of graphql: two would not know each other's errors", () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: object };
    expect(Object.keys(packages).filter((path) => /(^|\/)node_modules\/graphql$/.test(path))).toEqual([
      'node_modules/graphql',
    ]);
  });

  it('installs nothing that runs a script on installation, and locks every package by its content', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { readonly hasInstallScript?: true; readonly integrity?: string }>;
    };
    const dependencies = Object.entries(packages).filter(([path]) => path !== '');
    expect(dependencies.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual(
      [],
    );
    expect(dependencies.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
  });
});
