import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Access } from '../../src/access/access.ts';
import { TokenFile } from '../../src/access/token-file.ts';
import { createToken, revokeToken } from '../../src/access/tokens.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { publicFetch } from '../access/public-fetch.ts';
import { temporary } from '../support/temporary.ts';
import { open } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { type Served, serve } from './served.ts';

let file: TokenFile;
let token: string;
let access: Access;
let served: Served;
const start = async (anonymous: 'read' | null = null) => {
  const dataDir = temporary();
  file = new TokenFile(dataDir);
  token = createToken(file, { name: 'ci', roles: ['read'], expiresAt: null }, Date.now()).reveal();
  access = new Access({
    ...{ dataDir, anonymous, jwt: null, isLocal: true, fetch: publicFetch },
    clock: systemClock,
    log: silentLog,
  });
  served = await serve({ access });
};
beforeEach(() => start());
const stop = async () => {
  await served[Symbol.asyncDispose]();
  access[Symbol.dispose]();
};
afterEach(() => stop());

const post = (query: string, headers: Record<string, string> = {}) =>
  fetch(served.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
const upgrade = (headers: Record<string, string>) =>
  new Promise<number>((resolve) => {
    const socket = new WebSocket(served.url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode)).on('error', () => {});
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
  });

it('asks for a token, and tells how it is sent', async () => {
  const response = await post('{ __typename }');
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Bearer');
  expect(await response.json()).toEqual({
    errors: [{ message: expect.stringContaining('Authorization: Bearer'), extensions: { code: 'UNAUTHENTICATED' } }],
  });
  expect((await post('{ __typename }', { authorization: `Bearer ${token}` })).status).toBe(200);
});

it('leaves probes to everybody, and shows GraphiQL to nobody', async () => {
  for (const path of ['/livez', '/readyz', '/']) expect((await fetch(served.server.url + path)).status).toBe(200);
  const page = await fetch(served.url, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(404);
  expect((await fetch(`${served.server.url}/graphiql/app.js`)).status).toBe(404);
});

it('takes the token of a WebSocket by its header or its introduction', async () => {
  expect(await upgrade({ authorization: `Bearer ${token}` })).toBe(101);
  expect(await upgrade({ authorization: 'Bearer wrong' })).toBe(401);
  const byHeader = await open(served.url, { authorization: `Bearer ${token}` });
  await byHeader.introduce();
  byHeader.socket.terminate();
  for (const name of ['authorization', 'Authorization']) {
    const client = await open(served.url);
    client.send({ type: 'connection_init', payload: { [name]: `Bearer ${token}` } });
    await vi.waitFor(() => expect(client.frames).toContainEqual({ type: 'connection_ack' }));
    client.socket.terminate();
  }
});

it('closes a WebSocket that introduces itself wrongly, or not at all', async () => {
  const wrong = await open(served.url);
  wrong.send({ type: 'connection_init', payload: { authorization: 'Bearer wrong' } });
  expect((await wrong.closed).code).toBe(4403);
  const nobody = await open(served.url);
  nobody.send({ type: 'connection_init' });
  expect((await nobody.closed).code).toBe(4401);
  expect(wrong.frames.concat(nobody.frames)).toEqual([]);
});

it('lets no more than ten wrong tokens an address try, over all doors together', async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 15; count += 1)
    statuses.push((await post('{ __typename }', { authorization: 'Bearer wrong' })).status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  expect(await upgrade({ authorization: 'Bearer wrong' })).toBe(429);
  const response = await post('{ __typename }', { authorization: `Bearer ${token}` });
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('60');
  expect(access.refusals).toMatchObject({ wrong_token: 10, too_many_failures: 7 });
});

it('ends a WebSocket and an event stream within five seconds of a token being revoked, and sends nothing after', async () => {
  const authorization = `Bearer ${token}`;
  const client = await open(served.url, { authorization });
  await client.introduce();
  client.subscribe('1', LiveTrades);
  const events = await fetch(served.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization },
    body: JSON.stringify({ query: String(LiveTrades) }),
  });
  await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(2));
  revokeToken(file, 'ci', Date.now());
  const text = events.text().catch(() => 'cut');
  expect((await client.closed).code).toBe(4403);
  expect(await text).toBe('cut');
  await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(0));
  const frames = client.frames.length;
  served.market.trade(1);
  expect(client.frames).toHaveLength(frames);
  expect((await post('{ __typename }', { authorization })).status).toBe(401);
}, 5_000);

it('closes a WebSocket whose token was revoked between its header and its introduction', async () => {
  const authorization = `Bearer ${token}`;
  const client = await open(served.url, { authorization });
  revokeToken(file, 'ci', Date.now());
  await vi.waitFor(async () => expect((await post('{ __typename }', { authorization })).status).toBe(401), 3_000);
  client.send({ type: 'connection_init' });
  expect((await client.closed).code).toBe(4403);
  expect(client.frames).toEqual([]);
});

it('lets everybody read where that is configured, and tells the anonymous nothing of the schema', async () => {
  await stop();
  await start('read');
  const codeOf = async (query: string) => {
    const { errors } = (await (await post(query)).json()) as { errors?: { extensions: { code: string } }[] };
    return errors?.[0]?.extensions.code ?? null;
  };
  expect(await codeOf('{ health { status } }')).toBeNull();
  expect(await codeOf('{ __schema { types { name } } }')).toBe('UNAUTHENTICATED');
  expect(await codeOf('mutation { stopAllCollectors { userErrors { code } } }')).toBe('UNAUTHENTICATED');
  expect(await codeOf('{ balances(exchange: "okx") { total } }')).toBe('UNAUTHENTICATED');
  expect(
    await codeOf('{ marketData(exchange: "okx", symbol: "BTC-USDT", dataType: BALANCE) { edges { cursor } } }'),
  ).toBe('UNAUTHENTICATED');
  const misspelt = '{ healht { status } }';
  expect(await (await post(misspelt, { authorization: `Bearer ${token}` })).text()).toContain('Did you mean');
  expect(await (await post(misspelt)).text()).not.toContain('Did you mean');
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', '{ a: __type(name: "Query") { name } }');
  await vi.waitFor(() => expect(JSON.stringify(client.frames)).toContain('UNAUTHENTICATED'));
  expect(JSON.stringify(client.frames)).not.toContain('"Query"');
  client.socket.terminate();
});
