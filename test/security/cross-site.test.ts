import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Served, serve } from '../server/served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve({ allowedOrigins: ['https://good.example.com'] });
});
afterEach(() => served[Symbol.asyncDispose]());

const MUTATION = 'mutation { stopAllCollectors { userErrors { code } } }';

/** A request as a browser sends it: `fetch` of Node would leave out what a page may not set. */
function send(method: string, path: string, headers: Record<string, string>, body = '') {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number | undefined;
    allowed: unknown;
    body: string;
  }>();
  const sent = request(`${served.server.url}${path}`, { method, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () =>
      resolve({ status: response.statusCode, allowed: response.headers['access-control-allow-origin'], body: text }),
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

const form = new URLSearchParams({ query: MUTATION }).toString();
const json = JSON.stringify({ query: MUTATION });
const EVIL = { origin: 'https://evil.example' };

describe('a page of another site', () => {
  it.each([
    ['a form', 'POST', '/graphql', { ...EVIL, 'content-type': 'application/x-www-form-urlencoded' }, form],
    ['a form of parts', 'POST', '/graphql', { ...EVIL, 'content-type': 'multipart/form-data; boundary=x' }, json],
    ['text', 'POST', '/graphql', { ...EVIL, 'content-type': 'text/plain' }, json],
    [
      'text that says it is JSON',
      'POST',
      '/graphql',
      { ...EVIL, 'content-type': 'text/plain; application/json' },
      json,
    ],
    ['no type', 'POST', '/graphql', EVIL, json],
    ['JSON', 'POST', '/graphql', { ...EVIL, 'content-type': 'application/json' }, json],
    [
      'JSON without its origin',
      'POST',
      '/graphql',
      { 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' },
      json,
    ],
    ['a GET', 'GET', `/graphql?${form}`, EVIL, ''],
    ['an image', 'GET', `/graphql?${form}`, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, ''],
    ['an event source', 'GET', `/graphql?${form}`, { ...EVIL, accept: 'text/event-stream' }, ''],
    ['a sandboxed frame', 'POST', '/graphql', { origin: 'null', 'content-type': 'application/json' }, json],
  ])('gets nothing done by %s, and reads nothing', async (_what, method, path, headers, body) => {
    const stopped = vi.spyOn(served.market.manager, 'stopAll');
    const answer = await send(method, path, headers, body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.allowed).toBeUndefined();
    expect(stopped).not.toHaveBeenCalled();
  });

  it.each([
    ['https://evil.example'],
    ['null'],
    ['https://good.example.com.evil.example'],
    ['https://evil.example/https://good.example.com'],
    ['HTTPS://GOOD.EXAMPLE.COM'],
    ['https://good.example.com:8443'],
    ['http://good.example.com'],
  ])('opens no WebSocket from %s', async (origin) => {
    const socket = new WebSocket(served.url.replace('http', 'ws'), 'graphql-transport-ws', { origin });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('open', () => reject(new Error('open')));
      socket.on('error', () => {});
    });
    expect(status).toBe(403);
    socket.terminate();
  });
});
