import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type Served, serve } from './served.ts';

let served: Served;
let ready: () => Promise<boolean> = () => Promise.resolve(true);
beforeAll(async () => {
  served = await serve({ checkReady: () => ready() });
});
afterAll(() => served[Symbol.asyncDispose]());

const post = (body: string, type = 'application/json', headers: Record<string, string> = {}) =>
  fetch(served.url, { method: 'POST', headers: { 'content-type': type, ...headers }, body });
const codeOf = async (response: Response) =>
  ((await response.json()) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code;
const QUERY = '{"query":"{ __typename }"}';

describe('a POST', () => {
  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON', 200],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['text/plain', 415],
    ['application/graphql', 415],
    ['application/jsonp', 415],
  ])('of %s is answered with %i', async (type, status) => {
    const response = await post(QUERY, type);
    expect(response.status).toBe(status);
    if (status === 415) expect(await codeOf(response)).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  it('of more than 256 KiB is refused with 413, whether its length is said or not', async () => {
    const big = JSON.stringify({ query: '{ __typename }', variables: { text: 'x'.repeat(270_000) } });
    const said = await post(big);
    expect([said.status, await codeOf(said)]).toEqual([413, 'REQUEST_ENTITY_TOO_LARGE']);
    const chunked = await fetch(served.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([big]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('of several operations at once is refused', async () => {
    const response = await post(`[${QUERY},${QUERY}]`);
    expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_REQUEST']);
  });

  it.each([
    ['{'],
    ['7'],
    ['{"query":7}'],
    ['{"query":"{ __typename }","variables":7}'],
    ['{"query":"{ __typename }","nonsense":1}'],
    [''],
  ])('of %s is refused with 400 and a code', async (body) => {
    const response = await post(body);
    expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_REQUEST']);
  });
});

it('takes queries by GET, but no mutation', async () => {
  const get = (query: string) => fetch(`${served.url}?query=${encodeURIComponent(query)}`);
  expect((await get('{ __typename }')).status).toBe(200);
  const response = await get('mutation { stopAllCollectors { userErrors { code } } }');
  expect([response.status, await codeOf(response)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
  expect(served.market.collector.getStatus().status).toBe('running');
});

it.each(['variables', 'extensions'])('refuses a GET whose %s are not JSON', async (name) => {
  const response = await fetch(`${served.url}?query={__typename}&${name}={`);
  expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_REQUEST']);
});

describe('what no client could read is refused before anything happens', () => {
  const asking = (accept: string, query: string) => post(JSON.stringify({ query }), 'application/json', { accept });

  it('a mutation', async () => {
    const response = await asking('image/png', 'mutation { stopAllCollectors { userErrors { code } } }');
    expect([response.status, await codeOf(response)]).toEqual([406, 'NOT_ACCEPTABLE']);
    expect(served.market.collector.getStatus().status).toBe('running');
  });

  it.each([
    'application/json',
    'application/graphql-response+json',
    'multipart/mixed, application/json',
    'multipart/mixed',
  ])('a subscription that accepts %s, and no subscriber is left', async (accept) => {
    const response = await asking(accept, 'subscription { trades { cursor } }');
    expect([response.status, await codeOf(response)]).toEqual([406, 'NOT_ACCEPTABLE']);
    expect(served.market.feed.subscribers).toBe(0);
  });
});

it('answers other methods with 405 and a code, and unknown paths with 404', async () => {
  for (const method of ['DELETE', 'PUT', 'PATCH']) {
    const response = await fetch(served.url, { method });
    expect([response.status, response.headers.get('allow'), await codeOf(response)]).toEqual([
      405,
      'GET, POST, OPTIONS',
      'METHOD_NOT_ALLOWED',
    ]);
  }
  expect((await fetch(`${served.server.url}/`, { method: 'POST' })).status).toBe(405);
  expect((await fetch(`${served.server.url}/nothing`)).status).toBe(404);
  expect((await fetch(`${served.server.url}/graphiql/../../package.json`)).status).toBe(404);
});

describe('probes', () => {
  it('are alive while the loop turns, and ready while work can be taken', async () => {
    expect((await fetch(`${served.server.url}/livez`)).status).toBe(200);
    expect((await fetch(`${served.server.url}/readyz`)).status).toBe(200);
  });

  it.each<[why: string, check: () => Promise<boolean>]>([
    ['the answer is no', () => Promise.resolve(false)],
    ['the check throws', () => Promise.reject(new Error('password=secret'))],
    [
      'the check throws at once',
      () => {
        throw new Error('password=secret');
      },
    ],
    ['the check never ends', () => new Promise(() => {})],
  ])('are not ready, without detail, when %s', async (_why, check) => {
    ready = check;
    const response = await fetch(`${served.server.url}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, 'not ready\n']);
    ready = () => Promise.resolve(true);
  });
});

it('has a page that says where to go and what to try here', async () => {
  const response = await fetch(`${served.server.url}/`);
  const page = await response.text();
  expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(page).toContain(`curl -s ${served.url}`);
  expect(page).not.toMatch(/(src|href)="https?:/);
});

it('listens on loopback only, and says so', async () => {
  await expect(serve({ host: '0.0.0.0' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('127.0.0.1'),
  });
});

it('logs where it answers, as the log file has no other line that says so', async () => {
  const logged: unknown[] = [];
  const other = await serve({ log: { ...silentLog, info: (...line) => logged.push(line) } });
  expect(logged).toEqual([['The API answers', { url: other.server.url }]]);
  await other[Symbol.asyncDispose]();
});

it('says which address is taken', async () => {
  await expect(serve({ port: served.server.port })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`127.0.0.1:${served.server.port}`),
  });
});

it('lets an answer in flight finish, then is gone within its deadline', async () => {
  const other = await serve();
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  other.market.services.history.listTrades = async () => {
    asked.resolve();
    await release.promise;
    return { trades: [], hasMore: false };
  };
  const answer = other.ask('{ trades(exchange: "okx", symbol: "BTC-USDT") { edges { cursor } } }');
  await asked.promise;
  const started = systemClock.monotonic();
  const gone = other.server[Symbol.asyncDispose]();
  release.resolve();
  expect(await answer).toEqual({ data: { trades: { edges: [] } } });
  await gone;
  expect(systemClock.monotonic() - started).toBeLessThan(4_000);
  await expect(fetch(other.url)).rejects.toThrow();
  await other[Symbol.asyncDispose]();
});

it.each(['constructor', 'toString', '__proto__'])('has no asset of GraphiQL by the name %s', async (name) => {
  expect((await fetch(`${served.server.url}/graphiql${name}`)).status).toBe(404);
});

it('asks the database once for all who ask meanwhile whether it is ready', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let checks = 0;
  ready = () => {
    checks += 1;
    return promise;
  };
  const asked = Array.from({ length: 20 }, () => fetch(`${served.server.url}/readyz`));
  // Answered behind them, on connections of its own.
  for (let k = 0; k < 20; k += 1) await fetch(`${served.server.url}/livez`);
  resolve(true);
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(checks).toBeLessThan(5);
  ready = () => Promise.resolve(true);
});
