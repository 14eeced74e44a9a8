import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { silentLog } from '../../src/runtime/log.ts';
import { temporary } from '../support/temporary.ts';
import { type Served, serve } from './served.ts';

let directory: string;
let served: Served;
const warned: string[] = [];
const certFile = () => join(directory, 'cert.pem');
const keyFile = () => join(directory, 'key.pem');

/** A certificate of its own authority for a name, beside its key. */
function issue(name: string, to = directory): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...['-subj', `/CN=${name}`, '-keyout', join(to, 'key.pem'), '-out', join(to, 'cert.pem')],
    ],
    { stdio: 'ignore' },
  );
}

beforeEach(async () => {
  warned.length = 0;
  directory = temporary();
  issue('first');
  const log = { ...silentLog, warn: (message: string) => warned.push(message) };
  served = await serve({ tls: { certFile: certFile(), keyFile: keyFile() }, log });
});
afterEach(() => served[Symbol.asyncDispose]());

/** Shakes hands and hangs up; what went wrong, or the name and the version. */
const shake = (maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') =>
  new Promise<string>((resolve) => {
    const socket: TLSSocket = connect(
      { port: served.server.port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion },
      () => {
        resolve(`${socket.getPeerCertificate().subject.CN} ${socket.getProtocol()}`);
        socket.destroy();
      },
    );
    socket.on('error', ({ message }) => resolve(message));
  });

const get = (path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    request(`${served.server.url}${path}`, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

it('serves HTTPS and secure WebSockets on the one port, from TLS 1.3 on', async () => {
  expect(served.server.url).toMatch(/^https:/);
  expect(await get('/livez')).toBe(200);
  expect(await shake()).toBe('first TLSv1.3');
  expect(await shake('TLSv1.2')).toMatch(/protocol version/);
  const socket = new WebSocket(served.url.replace('https', 'wss'), 'graphql-transport-ws', {
    rejectUnauthorized: false,
    origin: served.server.url,
  });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  socket.terminate();
});

it('takes up a new certificate while it runs', async () => {
  issue('second');
  await vi.waitFor(async () => expect(await shake()).toBe('second TLSv1.3'), { timeout: 5_000 });
  expect(await get('/livez')).toBe(200);
});

it.each([
  [
    'a key of another certificate',
    () => {
      const other = temporary();
      issue('other', other);
      cpSync(join(other, 'key.pem'), keyFile());
    },
  ],
  ['no certificate', () => writeFileSync(certFile(), 'hello')],
])(
  'goes on with the old one when the files hold %s, says so once, and takes what comes after',
  async (_what, spoil) => {
    spoil();
    await vi.waitFor(
      () => expect(warned).toEqual(['The certificate files cannot be used; what was read before stays']),
      { timeout: 5_000 },
    );
    expect(await shake()).toBe('first TLSv1.3');
    issue('second');
    await vi.waitFor(async () => expect(await shake()).toBe('second TLSv1.3'), { timeout: 5_000 });
  },
);

it('does not start with files that are none', async () => {
  writeFileSync(keyFile(), 'hello');
  await expect(serve({ tls: { certFile: certFile(), keyFile: keyFile() } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('tls.key_file'),
  });
});
