import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Access } from '../../src/access/access.ts';
import { revokeToken } from '../../src/access/tokens.ts';
import { LIMITS } from '../../src/runtime/limits.ts';
import { TokenPlace } from '../access/tokens.ts';
import { temporary } from '../support/temporary.ts';
import { open } from './clients.ts';
import { type Served, serve } from './served.ts';

let place: TokenPlace;
let access: Access;
let served: Served;
const tokens: Record<string, string | null> = { none: null, wrong: 'wrong' };
beforeEach(async () => {
  place = new TokenPlace();
  tokens.reader = place.token('reader', 'read');
  tokens.expired = place.token('expired', 'admin', -1);
  tokens.revoked = place.token('revoked', 'admin');
  revokeToken(place.file, 'revoked', place.clock.now());
  access = place.open();
  served = await serve({ access });
});
afterEach(async () => {
  await served[Symbol.asyncDispose]();
  access[Symbol.dispose]();
});

const STOP = `mutation Stop($input: StopCollectorInput!) { ...It }
  fragment It on Mutation { stopCollector(input: $input, reason: "mine") { userErrors { code } } }`;
const variables = { input: { name: 'okx:BTC-USDT' } };
const headersOf = (who: string) => (tokens[who] == null ? {} : { authorization: `Bearer ${tokens[who]}` });
const post = (who: string, body: string, accept = 'application/json') =>
  fetch(served.url, {
    ...{ method: 'POST', body },
    headers: { 'content-type': 'application/json', accept, ...headersOf(who) },
  });
const noted = () => served.market.audit;
const entry = (principal: string, principalKind: string) => ({
  ...{ at: expect.any(Number), principal, principalKind, address: '127.0.0.1', action: 'stopCollector' },
  ...{ target: 'okx:BTC-USDT', reason: 'mine', outcome: 'REFUSED' },
});

it.each(['application/json', 'text/event-stream'])(
  'notes mutations that are refused, answered as %s',
  async (accept) => {
    const body = JSON.stringify({ query: STOP, variables, operationName: 'Stop' });
    for (const who of ['none', 'wrong', 'expired', 'revoked']) expect((await post(who, body, accept)).status).toBe(401);
    expect((await post('reader', body, accept)).status).toBe(403);
    expect(noted()).toEqual([...Array(4).fill(entry('anonymous', 'anonymous')), entry('reader', 'token')]);
    expect(served.market.collector.getStatus().status).toBe('running');
  },
);

it('notes those over a WebSocket, also of whoever did not introduce himself', async () => {
  const payload = { query: STOP, variables };
  const stranger = await open(served.url);
  stranger.send({ type: 'subscribe', id: '1', payload });
  expect((await stranger.closed).code).toBe(4401);
  const reader = await open(served.url, headersOf('reader'));
  await reader.introduce();
  reader.send({ type: 'subscribe', id: '1', payload });
  await vi.waitFor(() => expect(JSON.stringify(reader.frames)).toContain('FORBIDDEN'));
  reader.socket.terminate();
  expect(noted()).toEqual([entry('anonymous', 'anonymous'), entry('reader', 'token')]);
});

const LIMITED: Readonly<Record<string, string>> = {
  depth: `mutation { stopAllCollectors { userErrors ${'{ code '.repeat(12)} ${'}'.repeat(12)} } }`,
  aliases: `mutation { stopAllCollectors { ${Array.from({ length: 16 }, (_, k) => `a${k}: __typename`).join(' ')} } }`,
  mutation_once: 'mutation { stopAllCollectors { __typename } a: stopAllCollectors { __typename } }',
  list_length: `mutation { stopAllCollectors { __typename } addCollector(input: { exchange: "okx", symbol: "A-B", dataTypes: [${'TRADE,'.repeat(501)}] }) { __typename } }`,
};

it.each(Object.entries(LIMITED))('notes those that break the limit of %s, over every door', async (rule, query) => {
  await served[Symbol.asyncDispose]();
  served = await serve();
  expect((await served.ask(query)).errors?.[0]?.extensions?.code).toBe('LIMIT_EXCEEDED');
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', query);
  await vi.waitFor(() => expect(JSON.stringify(client.frames)).toContain('LIMIT_EXCEEDED'));
  client.socket.terminate();
  const own = noted().filter(({ action }) => action === 'stopAllCollectors');
  const one = { principal: 'local', address: '127.0.0.1', reason: 'LIMIT_EXCEEDED', outcome: 'REFUSED' };
  expect(own).toMatchObject(rule === 'mutation_once' ? [one, one, one, one] : [one, one]);
});

const LONG = '__typename '.repeat(1_000);
const unread = (principal: string, reason: string | null) => ({
  ...{ principal, address: '127.0.0.1', action: 'unread', target: null, reason, outcome: 'REFUSED' },
});

it('notes those with more tokens than are parsed, as unread, over every door', async () => {
  expect((await post('none', JSON.stringify({ query: `mutation { ${LONG} }` }))).status).toBe(401);
  await served[Symbol.asyncDispose]();
  const before = noted();
  served = await serve();
  const query = `fragment F on Query @include(if: [true]) { mutation } mutation A { ${LONG} }`;
  expect((await served.ask(query)).errors?.[0]?.extensions?.code).toBe('LIMIT_EXCEEDED');
  const address = `${served.url}?query=${encodeURIComponent(query)}`;
  expect(await (await fetch(address)).text()).toContain('LIMIT_EXCEEDED');
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', query);
  await vi.waitFor(() => expect(JSON.stringify(client.frames)).toContain('LIMIT_EXCEEDED'));
  client.socket.terminate();
  expect(before).toMatchObject([unread('anonymous', null)]);
  expect(noted()).toMatchObject(Array(3).fill(unread('local', 'LIMIT_EXCEEDED')));
});

it.each([
  ['a query', `{ ${LONG} }`],
  ['a query of that name', `query mutation { ${LONG} }`],
  ['a fragment of that name', `fragment mutation on Query { ${LONG} }`],
  ['a field of that name', `{ mutation { mutation } ${LONG} }`],
  ['an argument of that name', `query A($mutation: Int) @a(mutation: "mutation") { a } { ${LONG} }`],
  ['one that begins behind', `{ ${LONG} } mutation { stopAllCollectors }`],
  ['what is no document first', `?? mutation { ${LONG} }`],
])('notes nothing of %s with more tokens than are parsed', async (_what, query) => {
  expect((await post('none', JSON.stringify({ query }))).status).toBe(401);
  expect(noted()).toEqual([]);
});

it('knows by its name which operation of a long document is asked for', async () => {
  const query = `mutation Stop { stopAllCollectors } query Look { ${LONG} }`;
  for (const operationName of ['Look', 'Stop']) await post('none', JSON.stringify({ query, operationName }));
  expect(noted()).toMatchObject([unread('anonymous', null)]);
});

it('notes those that come too fast, and those too many at a time', async () => {
  await served[Symbol.asyncDispose]();
  served = await serve({ limits: { ...LIMITS, operations_per_socket: 1, subscribes_per_second: 1 } });
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('live', 'subscription { collectorEvents { type } }');
  for (const id of '123456') client.subscribe(id, 'mutation { stopAllCollectors { userErrors { code } } }');
  expect((await client.closed).code).toBe(4290);
  expect(noted().map(({ reason, outcome }) => `${outcome} ${reason}`)).toEqual([
    ...Array(4).fill('REFUSED TOO_MANY_SUBSCRIPTIONS'),
    'REFUSED subscribes_per_second',
  ]);
});

it('notes those of documents that are not trusted', async () => {
  await served[Symbol.asyncDispose]();
  const trusted = join(temporary(), 'trusted.json');
  writeFileSync(trusted, '{}');
  served = await serve({ trustedDocuments: trusted });
  await served.ask('{ __typename }');
  await served.ask('mutation { stopAllCollectors { userErrors { code } } }');
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', STOP, variables);
  await vi.waitFor(() => expect(JSON.stringify(client.frames)).toContain('DOCUMENT_NOT_TRUSTED'));
  client.socket.terminate();
  expect(noted()).toMatchObject([
    { action: 'stopAllCollectors', target: null, reason: 'DOCUMENT_NOT_TRUSTED', outcome: 'REFUSED' },
    { action: 'stopCollector', target: 'okx:BTC-USDT', reason: 'DOCUMENT_NOT_TRUSTED', outcome: 'REFUSED' },
  ]);
});

it.each([
  ['a query', JSON.stringify({ query: '{ health { status } }' })],
  ['no JSON', '{'],
  ['no document', JSON.stringify({ query: 'mutation {' })],
  ['no query', '[null]'],
  ['a mutation there is none', JSON.stringify({ query: 'mutation { dropEverything }' })],
  [
    'two operations and no name',
    JSON.stringify({ query: 'mutation A { stopAllCollectors } mutation B { stopAllCollectors }' }),
  ],
  [
    'fragments in a circle',
    JSON.stringify({ query: 'mutation { ...A } fragment A on Mutation { ...B } fragment B on Mutation { ...A }' }),
  ],
])('notes nothing of %s', async (_what, body) => {
  expect((await post('none', body)).status).toBe(401);
  expect(noted()).toEqual([]);
});

it('notes a mutation whatever its arguments are', async () => {
  const query = 'mutation { stopCollector(input: 7, reason: { a: 1 }) { userErrors { code } } }';
  expect((await post('none', JSON.stringify({ query }))).status).toBe(401);
  expect(noted()).toMatchObject([{ action: 'stopCollector', target: null, reason: null }]);
});

it('answers who breaks off or never ends, and reads no more than a request may have', async () => {
  const ask = (send: (sent: ReturnType<typeof request>) => void) =>
    new Promise<number | string>((resolve) => {
      const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
      const sent = request(served.url, { method: 'POST', headers }, (response) => {
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
      sent.on('error', () => resolve('gone'));
      send(sent);
    });
  const long = ask((sent) => void sent.write(`{"query":"mutation { stopAllCollectors }","x":"${'x'.repeat(300_000)}`));
  expect(await long).toBe(401);
  const broken = ask((sent) => sent.write('{"query":', () => sent.destroy()));
  expect(await broken).toBe('gone');
  expect(noted()).toEqual([]);
});

it('reads nothing where no more is listed', async () => {
  const leaveOut = vi.fn();
  Object.assign(served.market.services.audit, { mayList: () => false, leaveOut });
  const body = JSON.stringify({ query: 'mutation { stopAllCollectors { userErrors { code } } }' });
  expect((await post('none', body)).status).toBe(401);
  expect(leaveOut).toHaveBeenCalledOnce();
  expect(noted()).toEqual([]);
});
