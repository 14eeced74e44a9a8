import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/runtime/limits.ts';
import { serve } from './served.ts';

/** Asks for a WebSocket where there is none, and never hangs up by itself. */
async function refusedAt(port: number, path: string, headers = '') {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  const ask = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`;
  socket.write(ask);
  const [answer] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
  return { answer, hangUp: () => socket.destroy() };
}

it.each([
  ['another path', '/nothing', '', /^HTTP\/1\.1 404 /],
  ['another origin', '/graphql', 'Origin: https://evil.example\r\n', /^HTTP\/1\.1 403 /],
  ['a wrong token', '/graphql', 'Authorization: Bearer wrong\r\n', /^HTTP\/1\.1 401 /],
])('hangs up on whoever asks for a socket with %s and keeps the line', async (_what, path, headers, status) => {
  const served = await serve({ limits: { ...LIMITS, connections: 3 } });
  const { port, url } = served.server;
  const lines = await Promise.all([1, 2, 3].map(() => refusedAt(port, path, headers)));
  for (const { answer } of lines) expect(answer).toMatch(status);
  await vi.waitFor(async () => expect((await fetch(`${url}/livez`)).status).toBe(200));
  await served[Symbol.asyncDispose]();
  for (const { hangUp } of lines) hangUp();
});
