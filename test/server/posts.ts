import { type IncomingHttpHeaders, request } from 'node:http';

/** What is sent by POST. */
export interface Sent {
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Received {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends the bytes as they are, with their length. */
export function post(url: string, { body, headers = {} }: Sent): Promise<Received> {
  const bytes = Buffer.from(body);
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...headers },
  };
  const asked = request(url, options, (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part)).on('error', reject);
    response.on('end', () => {
      const { date: _, ...kept } = response.headers;
      resolve({ status: response.statusCode, headers: kept, body: Buffer.concat(parts).toString() });
    });
  });
  asked.on('error', reject).end(bytes);
  return promise;
}

const MARKET = 'exchange: "okx", symbol: "BTC-USDT"';
const times = (count: number, text: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => text(k)).join(' ');
const json = (params: unknown) => JSON.stringify(params);
const ask = (query: string, variables?: unknown) => json({ query, variables });

/** Answered, refused or broken, each by another rule. */
export const BODIES: Readonly<Record<string, string | Buffer>> = {
  'a query': ask('{ __typename }'),
  'fields of several kinds': ask(
    '{ health { status version collectors { state count } } collectors { name state } exchanges { id } }',
  ),
  'text that needs escapes': ask('{ a: __type(name: "\\u00e9\\"") { name } __typename }'),
  'a page': ask(`{ trades(${MARKET}, first: 2) { edges { node { tradeId } } pageInfo { hasNextPage } } }`),
  'a name and variables': json({
    query: 'query A { __typename } query B($s: Boolean!) { __typename @skip(if: $s) exchanges { id } }',
    ...{ operationName: 'B', variables: { s: true } },
  }),
  'nulls in place of what may lack': json({
    ...{ query: '{ __typename }', variables: null, operationName: null, extensions: null },
  }),
  'extensions beside': json({ query: '{ __typename }', extensions: { persistedQuery: { version: 1 } } }),
  'a mutation': ask('mutation { stopCollector(input: { name: "none" }) { userErrors { code message } } }'),
  introspection: ask('{ __schema { queryType { name } } }'),
  'a subscription': ask('subscription { trades(symbols: ["BTC-USDT"]) { cursor } }'),
  'nobody knows the market': ask('{ trades(exchange: "okx", symbol: "NO-NO", first: 2) { edges { cursor } } }'),
  'an error beside data': ask('{ __typename trades(exchange: "none", symbol: "A-B", first: 2) { edges { cursor } } }'),
  'a cursor of something else': ask(`{ trades(${MARKET}, first: 2, after: "nonsense") { edges { cursor } } }`),
  'a variable too many': ask('query ($a: Int!) { __typename @include(if: true) collectors { name } }', {}),
  'a wrong variable': ask('query ($a: Boolean!) { __typename @skip(if: $a) }', { a: 'no' }),
  'no such field': ask('{ helth { status } }'),
  'six errors': ask('{ a1 a2 a3 a4 a5 a6 }'),
  'a syntax error': ask('{ __typename '),
  'an empty document': ask(''),
  'only a fragment': ask('fragment F on Query { __typename }'),
  'no such operation': json({ query: 'query A { __typename }', operationName: 'B' }),
  'one of two': ask('query A { __typename } query B { __typename }'),
  'a name that is no text': json({ query: '{ __typename }', operationName: 7 }),
  'many tokens': ask(`{ ${'__typename '.repeat(999)} }`),
  'too deep': ask(`{ collectors ${'{ streams '.repeat(7)} { lagMs } ${'}'.repeat(7)} }`),
  'too many aliases': ask(`{ ${times(16, (k) => `a${k}: __typename`)} }`),
  'too dear': ask(`{ ${times(11, (k) => `a${k}: dataQuality(${MARKET}, day: "2026-11-27") { minutes }`)} }`),
  'too long a time': ask(`{ coverage(${MARKET}, from: "2001-01-01T00:00:00Z") { status } }`),
  'twice the same mutation': ask(
    'mutation { a: stopCollector(input: { name: "x" }) { userErrors { code } } b: stopCollector(input: { name: "y" }) { userErrors { code } } }',
  ),
  'nested beyond the stack': ask(`{ ${'a{'.repeat(4_000)}`),
  'no JSON': '{ __typename }',
  'cut JSON': '{"query":"{ __typename }"',
  'a batch': json([{ query: '{ __typename }' }, { query: '{ __typename }' }]),
  'an empty list': '[]',
  'a text': '"{ __typename }"',
  'a number': '7',
  null: 'null',
  'an empty object': '{}',
  'a query of null': json({ query: null }),
  'a query that is a list': json({ query: ['{ __typename }'] }),
  'variables as text': json({ query: '{ __typename }', variables: '{}' }),
  'variables as a list': json({ query: '{ __typename }', variables: [] }),
  'extensions as a number': json({ query: '{ __typename }', extensions: 1 }),
  'a parameter nobody knows': json({ query: '{ __typename }', id: 'x' }),
  'a parameter nobody knows, of null': json({ query: '{ __typename }', id: null }),
  'a parameter of every object': '{"query":"{ __typename }","constructor":1}',
  'a prototype': '{"query":"{ __typename }","__proto__":{"a":1}}',
  'only a prototype': '{"__proto__":{"query":"{ __typename }"}}',
  'the same parameter twice': '{"query":"{ a }","query":"{ __typename }"}',
  'a mark of the byte order': Buffer.from(`\ufeff${ask('{ __typename }')}`),
  'bytes that are no text': Buffer.concat([
    Buffer.from('{"query":"{ __typename } #'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}'),
  ]),
  'UTF-16': Buffer.from(ask('{ __typename }'), 'utf16le'),
  'white space around': `\n  ${ask('{ __typename }')}\n`,
  'only white space': '   ',
};

export const ACCEPTED: readonly (string | undefined)[] = [
  undefined,
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'application/graphql-response+json,application/json;q=0.9',
  'application/json, application/graphql-response+json; charset=utf-8',
  'Application/JSON ; q=0.5, */*;q=0.1',
  'application/json; charset=iso-8859-1, application/graphql-response+json',
  'application/json; Charset=UTF-8',
  'text/event-stream, application/json',
  'multipart/mixed, application/json',
  'text/html, application/*',
  '*/json, application/graphql-response+json',
  'text/event-stream',
  'multipart/mixed, */*',
  'text/html',
];
