import { readFile } from 'node:fs/promises';
import { buildSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Access } from '../../src/access/access.ts';
import { TokenPlace } from '../access/tokens.ts';
import { open } from '../server/clients.ts';
import { type Served, serve } from '../server/served.ts';

/** The schema is told to nobody without a token, however he asks, over every door. */
const printed = buildSchema(await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
/** What only the schema says; the words of our messages are no secret. */
const TYPE_NAMES = Object.keys(printed.getTypeMap()).filter((name) => /[a-z][A-Z]/.test(name));

const ABOUT_THE_SCHEMA: readonly string[] = [
  '{ __schema { types { name } } }',
  '{ __schema { queryType { fields { name args { type { name ofType { name } } } } } } }',
  '{ __type(name: "TradeConnection") { name fields { type { name } } } }',
  '{ a: __type(name: "SystemHealth") { b: name } }',
  '{ s: __schema { t: types { n: name } } }',
  '{ ...f } fragment f on Query { __schema { types { name } } }',
  '{ ... on Query { ... { __type(name: "TradeConnection") { possibleTypes { name } name } } } }',
  '{ ...f } fragment f on Query { ...g } fragment g on Query { x: __schema { subscriptionType { fields { type { name } } } } }',
  'query ($n: String!) { __type(name: $n) { name } }',
  'query a { __typename } query b { __schema { types { name } } }',
  '{ exchanges { id } __schema { directives { args { type { name } } } } }',
  'mutation { __schema { types { name } } }',
  'subscription { __schema { types { name } } }',
  '{ __schema @include(if: true) { types { name } } }',
];

const MISSPELT: readonly string[] = [
  '{ trade { edges { cursor } } }',
  '{ exchanges { di } }',
  '{ trades(exchange: "okx", symbl: "BTC-USDT") { edges { cursor } } }',
  '{ candles(exchange: "okx", symbol: "BTC-USDT", interval: H11, from: "2026-01-01T00:00:00Z") { edges { cursor } } }',
  'query ($f: DateTim) { __typename }',
  '{ ... on Quer { __typename } }',
  '{ __typename @inclde(if: true) }',
  '{ __schem { types { name } } }',
  'subscription { trade { cursor } }',
  'mutation { stopColector(input: { name: "x" }) { userErrors { code } } }',
  'mutation { stopCollector(input: { nam: "x" }) { userErrors { code } } }',
];

const byPost = async (url: string, accept: string, query: string) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({
      query,
      variables: { n: 'TradeConnection' },
      operationName: query.includes('query b') ? 'b' : undefined,
    }),
  });
  return response.text();
};

/** All that the client could read. */
const DOORS: Readonly<Record<string, (url: string, query: string) => Promise<string>>> = {
  HTTP: (url, query) => byPost(url, 'application/json', query),
  SSE: (url, query) => byPost(url, 'text/event-stream', query),
  GET: async (url, query) => (await fetch(`${url}?${new URLSearchParams({ query })}`)).text(),
  WebSocket: async (url, query) => {
    const client = await open(url);
    client.send({ type: 'connection_init' });
    client.subscribe('1', query, { n: 'TradeConnection' });
    let closed = '';
    void client.closed.then(({ code }) => {
      closed = String(code);
    });
    await vi.waitFor(() =>
      expect(closed !== '' || client.frames.some(({ type }) => /error|complete/.test(type))).toBe(true),
    );
    client.socket.terminate();
    return `${JSON.stringify(client.frames)} ${closed}`;
  },
};

describe.each([['read' as const], [null]])('where tokens are needed and anonymous may %s', (anonymous) => {
  let served: Served;
  let access: Access;
  beforeAll(async () => {
    const place = new TokenPlace();
    place.token('somebody', 'admin');
    access = place.open({ anonymous });
    served = await serve({ access });
  });
  afterAll(async () => {
    await served[Symbol.asyncDispose]();
    access[Symbol.dispose]();
  });

  it.each(Object.keys(DOORS))('nothing of the schema is told over %s', async (door) => {
    for (const query of ABOUT_THE_SCHEMA) {
      const text = (await DOORS[door]?.(served.url, query)) ?? '';
      // The name it was asked by is repeated by nobody either.
      expect(
        TYPE_NAMES.filter((name) => text.includes(`"${name}"`)),
        `${query}: ${text}`,
      ).toEqual([]);
      expect(text, query).not.toMatch(/"types"|"fields"|"kind"|[Dd]id you mean/);
      expect(text, query).toMatch(/"errors"|"type":"error"|44\d\d$/);
    }
  });

  it.each(Object.keys(DOORS))('nobody is helped to the right word over %s', async (door) => {
    for (const query of MISSPELT) {
      const text = (await DOORS[door]?.(served.url, query)) ?? '';
      expect(text, query).not.toMatch(/did you mean/i);
      expect(text, query).toMatch(/"errors"|"type":"error"|44\d\d$/);
    }
  });
});
