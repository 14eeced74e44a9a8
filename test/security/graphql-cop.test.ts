import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Answer, type Served, serve } from '../server/served.ts';

/** What https://github.com/dolevf/graphql-cop looks for, asked as it asks. */
let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(served.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const answerOf = async (response: Response) => (await response.json()) as Answer & { readonly extensions?: unknown };
const times = (count: number, text: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => text(k)).join(' ');

it('does not answer 101 aliases', async () => {
  const { data } = await served.ask(`query cop { ${times(101, (k) => `alias${k}:__typename`)} }`);
  expect(data).toBeUndefined();
});

it('does not answer ten operations in one body', async () => {
  const response = await post(Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }' })));
  expect(response.status).toBe(400);
  expect(Array.isArray(await response.json())).toBe(false);
});

it('does not tell of each of many directives it does not know', async () => {
  const { errors = [] } = await served.ask(`query cop { __typename ${'@aa'.repeat(10)} }`);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.length).toBeLessThan(10);
});

it('does not answer one field 500 times', async () => {
  const { data } = await served.ask(`query cop { ${'__typename\n'.repeat(500)} }`);
  expect(data).toBeUndefined();
});

it('does not follow types round in circles', async () => {
  const { data } = await served.ask(
    `query cop { __schema { types { ${'fields { type { '.repeat(4)} name ${'} }'.repeat(4)} } } }`,
  );
  expect(data).toBeUndefined();
});

it('does not take mutations by GET', async () => {
  const stopped = vi.spyOn(served.market.manager, 'stopAll');
  const query = 'mutation cop { stopAllCollectors { userErrors { code } } }';
  const response = await fetch(`${served.url}?${new URLSearchParams({ query })}`);
  expect(response.status).toBe(405);
  expect(stopped).not.toHaveBeenCalled();
});

it('does not take forms', async () => {
  const query = 'query cop { __typename }';
  const form = new URLSearchParams({ query }).toString();
  expect((await post(form, { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
});

it('does not trace', async () => {
  const { extensions } = await answerOf(await post({ query: 'query cop { __typename }' }, { 'x-apollo-tracing': '1' }));
  expect(extensions).toBeUndefined();
});

it('does not answer a GET that a page of another site sends', async () => {
  const response = await fetch(`${served.url}?${new URLSearchParams({ query: 'query cop { __typename }' })}`, {
    headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
  });
  expect(response.status).toBe(403);
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
});

it.each([
  ['query cop { abc }'],
  ['queryy cop { __typename }'],
  ['{'],
  [''],
  ['query cop($a: [Int!]! = {b: null}) { __typename }'],
])('says what is wrong with %s, and nothing of the inside', async (query) => {
  const text = await (await post({ query })).text();
  expect(text).toContain('"errors"');
  expect(text).not.toMatch(/stack|exception|node_modules|\.ts\b|\.js\b|at \w+ \(/i);
});
