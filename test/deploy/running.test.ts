import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { serve } from '../server/served.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The instructions of the Dockerfile, with lines that go on put together. */
const INSTRUCTIONS = read('deploy/Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const allOf = (name: string) => INSTRUCTIONS.filter((one) => one.name === name).map(({ rest }) => rest);
/** Thousands of files, on a busy disk. */
const REMOVING_MS = 60_000;
/** Who runs nothing else here. */
const NOBODY = 65_534;

/** What the image would hold, in a directory nobody can write: the same files, and the packages by the same command. */
function unpackedImage(): string {
  const image = mkdtempSync(join(tmpdir(), 'tcp-image-'));
  onTestFinished(() => rmSync(image, { recursive: true, force: true }), REMOVING_MS);
  chmodSync(image, 0o755);
  for (const copied of allOf('COPY')) {
    if (copied.startsWith('--from=')) continue;
    const paths = copied.split(' ').slice(0, -1);
    for (const path of paths) cpSync(join(ROOT, path), join(image, path), { recursive: true });
  }
  const [install = ''] = allOf('RUN');
  execFileSync('npm', [...install.split(' ').slice(1), '--prefer-offline', '--loglevel=error'], {
    cwd: image,
    stdio: 'ignore',
  });
  return image;
}

test('what the image holds starts as a user who may write only the data directory, is healthy, and ends by SIGTERM', async () => {
  const image = unpackedImage();
  const outside = mkdtempSync(join(tmpdir(), 'tcp-volumes-'));
  onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
  const data = join(outside, 'data');
  mkdirSync(data, { mode: 0o700 });
  chmodSync(outside, 0o755);
  const asRoot = process.getuid?.() === 0;
  if (asRoot) execFileSync('chown', [String(NOBODY), data]);
  else console.log('SKIPPED in part: not root, so the server runs as the owner of its files');
  const config = JSON.parse(read('deploy/config.json')) as { readonly exchanges: readonly object[] };
  writeFileSync(join(outside, 'config.json'), JSON.stringify({ ...config, exchanges: [] }), { mode: 0o644 });
  const command = JSON.parse(allOf('CMD').at(-1) ?? '[]') as readonly string[];
  // A loopback address: any other needs a token, which the test of the addresses is about.
  const env = { HOST: '127.0.0.1', PORT: '0', DATA_DIR: data, CONFIG_FILE: join(outside, 'config.json') };
  const server = spawn(process.execPath, command.slice(1), {
    ...{ cwd: image, env: { NODE_ENV: 'production', ...env } },
    ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const url = await vi.waitFor(
    () => {
      const found = /listening on (http:\/\/\S+)/.exec(output)?.[1];
      if (found === undefined) throw new Error(`It does not listen: ${output}`);
      return found;
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(await health(new URL(url).port)).toBe(0);
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(await health(new URL(url).port)).toBe(1);
}, 300_000);

/** The exit code of the image's health check. */
async function health(port: number | string): Promise<number> {
  const [, check = ''] = /CMD (\[.*\])/.exec(allOf('HEALTHCHECK')[0] ?? '') ?? [];
  const child = spawn(process.execPath, (JSON.parse(check) as string[]).slice(1), {
    ...{ env: { PORT: String(port) }, stdio: 'ignore' },
  });
  const [code] = await once(child, 'exit');
  return Number(code);
}

test('the image is healthy with TLS as without, and not when something else answers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tcp-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', [...kind, '-subj', '/CN=api.example', '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  });
  await using secure = await serve({ tls: { certFile, keyFile } });
  expect(await health(secure.server.port)).toBe(0);
  const other = createServer((_request, response) => void response.writeHead(404).end()).listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  expect(await health((other.address() as AddressInfo).port)).toBe(1);
});

test('the image runs unprivileged, and takes nothing of the checkout but what it copies', () => {
  expect(allOf('USER')).toEqual(['node']);
  const wanted = allOf('COPY').flatMap((copied) =>
    copied.startsWith('--from=') ? [] : copied.split(' ').slice(0, -1),
  );
  const ignore = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(ignore).toEqual(['*', ...[...new Set(wanted)].map((path) => `!${path}`).toSorted(byPlaceIn(ignore))]);
});

const byPlaceIn = (list: readonly string[]) => (a: string, b: string) => list.indexOf(a) - list.indexOf(b);

interface Service {
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
}

test('the services are read-only, without privileges, on loopback, and are told secrets by files', () => {
  const compose = parse(read('deploy/compose.yaml')) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly secrets: Readonly<Record<string, { readonly file: string }>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  for (const [name, service] of Object.entries(compose.services)) {
    expect(service, name).toMatchObject({ read_only: true, security_opt: ['no-new-privileges:true'] });
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    for (const [variable, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|URL|KEY/.test(variable)) expect(`${variable}=${value}`).toMatch(/_FILE=\/run\/secrets\//);
    for (const volume of service.volumes ?? [])
      if (!volume.startsWith('.')) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
  }
  const { server, postgres } = compose.services;
  expect(server?.cap_drop).toEqual(['ALL']);
  expect(postgres?.healthcheck).toBeDefined();
  const { context = '', dockerfile = '' } = server?.build ?? {};
  expect(read(join(dirname('deploy/compose.yaml'), context, dockerfile))).toContain('FROM node:24-slim');
});

test('the unit of systemd is one', () => {
  const verified = spawnSync('systemd-analyze', ['verify', join(ROOT, 'deploy/systemd/tcp-dashboard.service')], {
    encoding: 'utf8',
  });
  if (verified.error) return console.log('SKIPPED: this machine has no systemd-analyze');
  expect({ status: verified.status, said: verified.stderr }).toEqual({ status: 0, said: '' });
});

test('the unit of systemd leaves the server hardly anything of the machine', () => {
  // In tenths of systemd's own measure, from 0 to 100; without its restrictions a unit has 96.
  const judged = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--threshold=20', join(ROOT, 'deploy/systemd/tcp-dashboard.service')],
    { encoding: 'utf8' },
  );
  if (judged.error) return console.log('SKIPPED: this machine has no systemd-analyze');
  expect({ status: judged.status, said: judged.stdout.split('\n').at(-2) }).toMatchObject({ status: 0 });
});
