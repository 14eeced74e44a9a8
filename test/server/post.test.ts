import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOCAL } from '../../src/access/principal.ts';
import { exposeErrors } from '../../src/graphql/errors.ts';
import { schema } from '../../src/graphql/schema.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { LIMITS } from '../../src/runtime/limits.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { Refusals } from '../../src/runtime/refusals.ts';
import { untraced } from '../../src/runtime/tracing.ts';
import { OpenOperations } from '../../src/server/open-operations.ts';
import { answerGraphql } from '../../src/server/post.ts';
import { RefusedMutations } from '../../src/server/refused-mutations.ts';
import { createPipeline, type Pipeline } from '../../src/server/yoga.ts';
import { localAccess } from '../access/local-access.ts';
import { TokenPlace } from '../access/tokens.ts';
import { openMarket } from '../graphql/market.ts';
import { temporary } from '../support/temporary.ts';
import { ACCEPTED, BODIES, post, type Sent } from './posts.ts';
import { type Served, serve } from './served.ts';

/** Requests at the address alone are answered without Yoga where that can be; with more behind it, by Yoga. */
const doors = ({ url }: Served) => [url, `${url}?more`] as const;

const COUNTERS = /^tcp_dashboard_(access_)?refusals_total.*$/gm;

async function counters({ server }: Served, authorization = ''): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`, { headers: authorization ? { authorization } : {} })).text();
  return new Map(
    Array.from(text.matchAll(COUNTERS), ([line]) => line.split(' ') as [string, string]).map(([name, value]) => [
      name,
      Number(value),
    ]),
  );
}

/** What came, and what was counted for it. */
async function answered(served: Served, url: string, sent: Sent, authorization?: string) {
  const before = await counters(served, authorization);
  const received = await post(url, sent);
  const after = await counters(served, authorization);
  const counted = [...after]
    .filter(([name, value]) => value !== (before.get(name) ?? 0))
    .map(([name, value]) => [name, value - (before.get(name) ?? 0)]);
  return { ...received, counted };
}

async function expectSame(served: Served, sent: Sent, authorization?: string) {
  const [own, yogas] = doors(served);
  const expected = await answered(served, yogas, sent, authorization);
  expect(await answered(served, own, sent, authorization)).toEqual(expected);
  return expected;
}

const accepting = (accept: string | undefined) => (accept === undefined ? {} : { accept });

describe('the door for posts and Yoga', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ allowedOrigins: ['https://desk.example'] });
  });
  afterAll(() => served[Symbol.asyncDispose]());

  const streams = (name: string, accept: string | undefined) =>
    name === 'a subscription' && (accept === undefined || /\*\/\*|text\/event-stream|multipart/.test(accept));
  it.each(Object.keys(BODIES))('answer alike: %s', async (name) => {
    for (const accept of ACCEPTED) {
      if (streams(name, accept)) continue; // has no end
      await expectSame(served, { body: BODIES[name] ?? '', headers: accepting(accept) });
    }
  });

  it.each([
    [{ 'content-type': 'application/json; charset=utf-8' }],
    [{ 'content-type': 'Application/JSON' }],
    [{ 'content-type': 'application/json;charset=utf-16' }],
    [{ 'content-type': 'application/json ; charset=utf-8' }],
    [{ 'content-type': 'application/json; a="b, text/plain"' }],
    [{ 'content-type': 'application/jsonp' }],
    [{ 'content-type': 'text/plain' }],
    [{ 'content-type': 'application/graphql' }],
    [{ 'content-encoding': 'gzip' }],
    [{ origin: 'https://desk.example' }],
    [{ origin: 'https://elsewhere.example' }],
    [{ origin: 'null' }],
    [{ host: 'elsewhere.example' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ authorization: 'Bearer nonsense' }],
    [{ 'last-event-id': 'x' }],
    [{ 'accept-encoding': 'gzip' }],
    [{ expect: '100-continue' }],
    [{ connection: 'close' }],
  ])('answer alike: %j', async (headers) => {
    for (const name of ['a query', 'a syntax error', 'no JSON', 'an error beside data'])
      await expectSame(served, { body: BODIES[name] ?? '', headers });
  });

  it('refuse a body that is too large alike', async () => {
    const body = JSON.stringify({ query: `{ __typename } # ${'x'.repeat(LIMITS.body_bytes)}` });
    expect(await expectSame(served, { body })).toMatchObject({ status: 413, counted: [[expect.anything(), 1]] });
  });

  it('take a body without a length, and refuse it where it is too large', async () => {
    const send = async (query: string) => {
      const response = await fetch(served.url, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, duplex: 'half' },
        body: new Blob([JSON.stringify({ query })]).stream(),
      });
      return response.status;
    };
    expect(await send('{ __typename }')).toBe(200);
    expect(await send(`{ __typename } # ${'x'.repeat(LIMITS.body_bytes)}`)).toBe(413);
  });

  it('subscribe alike: events, once', async () => {
    for (const url of doors(served)) {
      const leave = new AbortController();
      const response = await fetch(url, {
        ...{ method: 'POST', body: BODIES['a subscription'] as string, signal: leave.signal },
        headers: { 'content-type': 'application/json' },
      });
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(1));
      leave.abort();
      await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(0));
    }
  });

  it('forget a client that leaves in the middle of its request', async () => {
    const { port } = served.server;
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"que`,
    );
    await once(socket, 'connect');
    socket.end();
    socket.resume();
    await once(socket, 'close');
    expect(await served.ask('{ __typename }')).toEqual({ data: { __typename: 'Query' } });
  });
});

it('answers most posts without Yoga', async () => {
  const { services } = await openMarket();
  const refusals = new Refusals();
  const caller = { principal: LOCAL, address: '127.0.0.1', closed: () => {}, span: null };
  const pipeline = createPipeline(schema, services, {
    ...{ access: localAccess(), expose: exposeErrors(silentLog), clock: systemClock, limits: LIMITS },
    ...{ refusals, trusted: null, tracer: untraced, open: new OpenOperations(LIMITS, refusals) },
    refusedMutations: new RefusedMutations({ schema, audit: services.audit, limits: LIMITS, clock: systemClock }),
  });
  const without = Object.assign(() => Promise.reject(new Error('Yoga was asked')), {
    getEnveloped: pipeline.getEnveloped,
  }) as unknown as Pipeline;
  const server = createServer((request, response) => {
    answerGraphql({ pipeline: without, services }, request, response, caller).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  for (const accept of ACCEPTED.slice(0, 5))
    for (const name of ['a query', 'a page', 'a name and variables', 'a mutation'])
      expect(await post(url, { body: BODIES[name] ?? '', headers: accepting(accept) })).toMatchObject({ status: 200 });
  await expect(post(`${url}?more`, { body: BODIES['a query'] ?? '' })).rejects.toThrow();
  server.close();
});

/** Of every role, and of somebody without one. */
describe('the door for posts and Yoga, where tokens are needed', () => {
  const place = new TokenPlace();
  const tokens = {
    ...{ read: place.token('r', 'read'), admin: place.token('a', 'admin'), expired: place.token('e', 'read', 1) },
    ...{ wrong: 'nonsense', none: null },
  };

  it.each([['none'], ['read']] as const)('answer alike to everybody, without a token: %s', async (anonymous) => {
    using access = place.open({ anonymous });
    const trusted = join(temporary(), 'trusted.json');
    writeFileSync(trusted, JSON.stringify({ known: '{ __typename }', wrong: '{ exchanges { id } }' }));
    for (const trustedDocuments of [null, trusted]) {
      await using served = await serve({ access, trustedDocuments });
      for (const token of Object.values(tokens)) {
        await place.clock.advance(60_000); // or there were too many wrong tokens
        const headers = token === null ? {} : { authorization: `Bearer ${token}` };
        const isKnown = token !== tokens.wrong && token !== tokens.expired;
        for (const name of isKnown
          ? ['a query', 'a mutation', 'no such field', 'introspection', 'a wrong variable', 'a batch']
          : ['a query'])
          for (const accept of ['application/json', 'application/graphql-response+json'])
            await expectSame(
              served,
              { body: BODIES[name] ?? '', headers: { accept, ...headers } },
              `Bearer ${tokens.admin}`,
            );
        await expectSame(served, { body: '{"query":"known"}', headers }, `Bearer ${tokens.admin}`);
      }
    }
  });
});
