import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Log } from '../../src/runtime/log.ts';
import type { ExportOptions, ExportSource } from '../../src/server/export.ts';
import { translated } from '../../src/storage/database-errors.ts';
import { open } from '../server/clients.ts';
import { type Served, serve } from '../server/served.ts';
import { FAULTS, INSIDE } from './inside-faults.ts';

/** Whatever goes wrong inside, a client is told a code and, where it is our fault, an id that the log has, too. */
let served: Served;
let failure: unknown = null;
const logged: string[] = [];
const log: Log = {
  ...{ debug() {}, info() {}, warn() {} },
  error: (_message, fields) => logged.push(String(fields?.correlationId)),
};
const failing = () => Promise.reject(failure);
const exports: ExportOptions['exports'] = { manifest: failing, open: failing } satisfies ExportSource;
beforeAll(async () => {
  served = await serve({ log, exports, checkReady: failing });
});
afterAll(() => served[Symbol.asyncDispose]());

const MARKET = 'exchange: "okx", symbol: "NO-SUCH"';
const QUERIES: readonly string[] = [
  `{ trades(${MARKET}) { edges { cursor } } }`,
  `{ instrument(${MARKET}) { symbol } coverage(${MARKET}, from: "2026-01-01T00:00:00Z") { status } }`,
  `{ gaps(first: 1) { edges { cursor } } balances(exchange: "okx") { currency } }`,
];
const SUBSCRIPTION = 'subscription { trades(symbols: ["NO-SUCH"]) { cursor } }';
const MUTATION = 'mutation { stopAllCollectors { userErrors { code message } } }';

/** Its headers, too, but for the time of day. */
const readable = async (response: Response) => {
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  return `${JSON.stringify(headers)}\n${await response.text()}`;
};
const post = async (query: string, accept = 'application/json') => {
  const response = await fetch(served.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });
  return readable(response);
};
const get = async (path: string) => {
  const response = await fetch(`${served.server.url}${path}`);
  return readable(response);
};
const bySocket = async (query: string) => {
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', query);
  await vi.waitFor(() => expect(client.frames.some(({ type }) => /error|next/.test(type))).toBe(true));
  client.socket.terminate();
  return JSON.stringify(client.frames);
};

/** Where the failure shows; each gives all that the client could read. */
const DOORS: Readonly<Record<string, () => Promise<string>>> = {
  ...Object.fromEntries(QUERIES.map((query, k) => [`HTTP, query ${k}`, () => post(query)])),
  'HTTP, mutation': () => post(MUTATION),
  'server-sent events': () => post(SUBSCRIPTION, 'text/event-stream'),
  ...{ 'WebSocket, query': () => bySocket(QUERIES[0] ?? ''), 'WebSocket, subscription': () => bySocket(SUBSCRIPTION) },
  ...{ '/export': () => get('/export?exchange=okx'), '/export/manifest': () => get('/export/manifest?exchange=okx') },
};
const WITHOUT_ERRORS = ['/readyz', '/metrics', '/livez', '/nothing'];

it('has thirty faults to induce', () => {
  expect(Object.keys(FAULTS).length).toBeGreaterThanOrEqual(30);
});

describe.each(Object.keys(FAULTS))('while %s', (what) => {
  beforeAll(() => {
    failure = translated(FAULTS[what]?.());
    served.market.failure = failure;
    vi.spyOn(served.market.manager, 'stopAll').mockImplementation(failing);
    logged.length = 0;
  });

  it.each(Object.keys(DOORS))('over %s only a code is told', async (door) => {
    const text = (await DOORS[door]?.()) ?? '';
    expect(text).toMatch(/"code":"(INTERNAL_SERVER_ERROR|DATABASE_UNAVAILABLE)"/);
    for (const [secret, pattern] of Object.entries(INSIDE)) expect(text, secret).not.toMatch(pattern);
    for (const [, id] of text.matchAll(/"code":"INTERNAL_SERVER_ERROR"(?:,"correlationId":"(\w+)")?/g))
      expect(logged, text).toContain(id);
  });

  it.each(WITHOUT_ERRORS)('at %s nothing of it is told', async (path) => {
    const text = await get(path);
    for (const [secret, pattern] of Object.entries(INSIDE))
      if (path !== '/metrics' || secret === 'a statement') expect(text, secret).not.toMatch(pattern);
  });
});
