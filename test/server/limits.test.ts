import { getIntrospectionQuery } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QUERY_BOMBS } from '../security/query-bombs.ts';
import { open, overWebSocket } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { type Answer, type Served, serve } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const times = (count: number, text: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => text(k)).join(' ');
const MARKET = 'exchange: "okx", symbol: "BTC-USDT"';

/** A document for each rule that breaks it. */
const BROKEN: Readonly<Record<string, string>> = {
  tokens: `{ ${'__typename '.repeat(999)} }`,
  depth: `{ collectors ${'{ streams '.repeat(7)} { lagMs } ${'}'.repeat(7)} }`,
  aliases: `{ ${times(16, (k) => `a${k}: __typename`)} }`,
  root_fields: `{ ${'__typename '.repeat(21)} }`,
  directives: `{ __typename ${'@skip(if: false) '.repeat(60)} }`,
  selections: `{ ...F0 } ${times(40, (k) => `fragment F${k} on Query { ...F${k + 1} ...F${k + 1} }`)} fragment F40 on Query { __typename }`,
  repeats: `{ collectors { ${'name '.repeat(21)} } }`,
  introspection_depth: `{ __type(name: "Query") { ${'ofType { '.repeat(15)} name ${'}'.repeat(15)} } }`,
  mutation_once:
    'mutation { a: stopCollector(input: { name: "x" }) { userErrors { code } } b: stopCollector(input: { name: "y" }) { userErrors { code } } }',
  cost: `{ ${times(11, (k) => `a${k}: dataQuality(${MARKET}, day: "2026-11-27") { minutes }`)} }`,
  list_length: `subscription { trades(symbols: [${'"A-B",'.repeat(501)}]) { cursor } }`,
  time_span_days: `{ coverage(${MARKET}, from: "2001-01-01T00:00:00Z") { status } }`,
};

const TRANSPORTS: Readonly<Record<string, (query: string) => Promise<Answer>>> = {
  HTTP: async (query) => {
    const response = await fetch(served.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: '*/*' },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as Answer;
  },
  'server-sent events': async (query) => {
    const client = createSseClient({ url: served.url, retryAttempts: 0 });
    try {
      return (await client.iterate({ query }).next()).value as Answer;
    } catch (error) {
      return (await (error as { response: Response }).response.json()) as Answer;
    } finally {
      client.dispose();
    }
  },
  WebSocket: (query) => overWebSocket(served.url, query),
};

describe.each(Object.keys(TRANSPORTS))('over %s', (transport) => {
  it.each(Object.keys(BROKEN))('what breaks the limit of %s is refused with its name, and counted', async (rule) => {
    const ask = TRANSPORTS[transport] as (typeof TRANSPORTS)[string];
    const stopped = vi.spyOn(served.market.manager, 'stopCollector');
    for (const count of [1, 2]) {
      const { data, errors } = await ask(BROKEN[rule] ?? '');
      expect(errors).toHaveLength(1);
      expect(errors?.[0]).toMatchObject({
        message: expect.stringMatching(/at most \d+ is taken: /),
        extensions: { code: 'LIMIT_EXCEEDED', rule, value: expect.any(Number), limit: expect.any(Number) },
      });
      expect(data ?? null).toBeNull();
      const page = await (await fetch(`${served.server.url}/metrics`)).text();
      expect(page).toContain(`tcp_dashboard_refusals_total{rule="${rule}"} ${count}\n`);
    }
    expect(stopped).not.toHaveBeenCalled();
  });
});

it('answers what GraphiQL asks of the schema', async () => {
  const { errors } = await served.ask(
    getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true, specifiedByUrl: true, oneOf: true }),
  );
  expect(errors).toBeUndefined();
});

it('refuses several operations in one body with 400', async () => {
  const response = await fetch(served.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Array.from({ length: 11 }, () => ({ query: '{ __typename }' }))),
  });
  expect(response.status).toBe(400);
});

it('refuses a hundred bombs, and the stream of another client goes on meanwhile', async () => {
  const other = await open(served.url);
  await other.introduce();
  other.subscribe('1', LiveTrades);
  await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(1));
  expect(QUERY_BOMBS).toHaveLength(100);
  for (const [k, query] of QUERY_BOMBS.entries()) {
    const { data, errors } = await served.ask(query);
    expect(errors, query.slice(0, 100)).not.toHaveLength(0);
    expect(data ?? null).toBeNull();
    if (k % 10 === 0) served.market.trade(1);
  }
  await vi.waitFor(() =>
    expect(other.frames.flatMap(({ payload }) => payload?.data?.trades?.edges ?? [])).toHaveLength(10),
  );
  other.socket.terminate();
});
