import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Served, serve } from './served.ts';

const DASHBOARD = 'https://dash.example.com';
let served: Served;
beforeAll(async () => {
  served = await serve({ allowedOrigins: [DASHBOARD] });
});
afterAll(() => served[Symbol.asyncDispose]());

type Headers = Readonly<Record<string, string>>;
interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends exactly these headers; `fetch` would not let a test choose Host, Origin or Sec-Fetch-*. */
const send = (headers: Headers, { method = 'POST', path = '/graphql', body = '{"query":"{ __typename }"}' } = {}) =>
  new Promise<Reply>((resolve, reject) => {
    const outgoing = httpRequest(
      `${served.server.url}${path}`,
      { method, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    outgoing.on('error', reject).end(method === 'POST' ? body : undefined);
  });

const upgrade = (headers: Headers) =>
  new Promise<number>((resolve) => {
    const socket = new WebSocket(served.url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
    socket
      .on('open', () => resolve(101))
      .on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0));
    socket.on('error', () => {}).on('open', () => socket.terminate());
  });

const own = (name: string) => `http://${name}:${served.server.port}`;

describe('who may ask', () => {
  it.each<[who: string, headers: () => Headers, allowed: boolean]>([
    ['a program, without Origin', () => ({}), true],
    ['our own page at 127.0.0.1', () => ({ origin: own('127.0.0.1') }), true],
    ['our own page at localhost', () => ({ origin: own('localhost') }), true],
    ['our own page at [::1]', () => ({ origin: own('[::1]') }), true],
    ['an allowed origin', () => ({ origin: DASHBOARD }), true],
    ['a page of elsewhere', () => ({ origin: 'https://evil.example' }), false],
    ['another local port', () => ({ origin: 'http://127.0.0.1:1' }), false],
    ['our own port over https', () => ({ origin: own('127.0.0.1').replace('http', 'https') }), false],
    ['a sandboxed page', () => ({ origin: 'null' }), false],
    ['a name that only begins like an allowed one', () => ({ origin: `${DASHBOARD}.evil.example` }), false],
    ['an empty Origin', () => ({ origin: '' }), false],
    [
      'a page that reached us under its own name (DNS rebinding)',
      () => ({ host: `evil.example:${served.server.port}` }),
      false,
    ],
    [
      'that page, with the Origin that goes with it',
      () => ({ host: `evil.example:${served.server.port}`, origin: own('evil.example') }),
      false,
    ],
    ['a loopback name as Host', () => ({ host: `localhost:${served.server.port}` }), true],
    ['a proxy that passes the allowed name on', () => ({ host: 'dash.example.com', origin: DASHBOARD }), true],
  ])('%s', async (_who, headers, allowed) => {
    const { status, body } = await send(headers());
    expect(status).toBe(allowed ? 200 : 403);
    if (!allowed) expect(JSON.parse(body).errors[0].extensions).toEqual({ code: 'FORBIDDEN_ORIGIN' });
    expect(await upgrade(headers())).toBe(allowed ? 101 : 403);
  });

  it('not a mutation of a foreign page: it is refused before it runs', async () => {
    const body = '{"query":"mutation { stopAllCollectors { userErrors { code } } }"}';
    expect((await send({ origin: 'https://evil.example' }, { body })).status).toBe(403);
    expect(served.market.collector.getStatus().status).toBe('running');
  });

  it('not an image or script of a foreign page, whose GET carries no Origin', async () => {
    const path = '/graphql?query=%7B__typename%7D';
    expect(
      (await send({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, { method: 'GET', path })).status,
    ).toBe(403);
    expect(
      (await send({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, { method: 'GET', path })).status,
    ).toBe(200);
    expect(
      (
        await send(
          { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', accept: 'text/html' },
          { method: 'GET' },
        )
      ).status,
    ).toBe(200);
  });
});

describe('CORS', () => {
  it('names the allowed origin and nobody else, never a wildcard', async () => {
    expect((await send({ origin: DASHBOARD })).headers).toMatchObject({
      'access-control-allow-origin': DASHBOARD,
      vary: expect.stringMatching(/origin/i),
    });
    expect((await send({ origin: 'https://evil.example' })).headers['access-control-allow-origin']).toBeUndefined();
    expect((await send({})).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('answers the preflight of an allowed origin and refuses the others', async () => {
    const ask = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
    const allowed = await send({ ...ask, origin: DASHBOARD }, { method: 'OPTIONS' });
    expect(allowed).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': DASHBOARD,
        'access-control-allow-headers': expect.stringContaining('content-type'),
      },
    });
    expect((await send({ ...ask, origin: 'https://evil.example' }, { method: 'OPTIONS' })).status).toBe(403);
  });
});
