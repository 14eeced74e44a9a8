import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isOurs } from '../../src/doctor/answering.ts';
import { serve } from '../server/served.ts';
import { temporary } from '../support/temporary.ts';

const HOST = '127.0.0.1';

/** A certificate for a name nobody asks for, and its key. */
function issue() {
  const directory = temporary();
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', [...kind, '-subj', '/CN=api.example', '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  });
  return { certFile, keyFile };
}

async function stranger(answer: RequestListener) {
  const server = createServer(answer).listen(0, HOST);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => void server.close() };
}

it('knows a server of ours, without TLS and with a certificate that is for another name', async () => {
  await using plain = await serve();
  expect(await isOurs({ host: HOST, port: plain.server.port, certFile: null })).toBe(true);
  const tls = issue();
  await using secure = await serve({ tls });
  expect(await isOurs({ host: HOST, port: secure.server.port, certFile: tls.certFile })).toBe(true);
});

it('knows a stranger', async () => {
  await using other = await serve({ tls: issue() });
  expect(await isOurs({ host: HOST, port: other.server.port, certFile: issue().certFile })).toBe(false);
  await using missing = await stranger((_request, response) => void response.writeHead(404).end('ok\n'));
  expect(await isOurs({ host: HOST, port: missing.port, certFile: null })).toBe(false);
  await using chatty = await stranger((_request, response) => void response.end('ok\nand more'));
  expect(await isOurs({ host: HOST, port: chatty.port, certFile: null })).toBe(false);
  await using rude = await stranger((request) => void request.socket.destroy());
  expect(await isOurs({ host: HOST, port: rude.port, certFile: null })).toBe(false);
});
