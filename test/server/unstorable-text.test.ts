import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { placesOf } from '../security/places.ts';
import { overWebSocket } from './clients.ts';
import { type Answer, type Served, serve } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served[Symbol.asyncDispose]());

const PLACES = placesOf(schema).filter(({ type }) => ['String', 'ID', 'Cursor'].includes(type));

const OPERATIONS: Readonly<Record<string, (query: string) => Promise<Answer>>> = {
  query: (query) => served.ask(query),
  mutation: (query) => served.ask(query),
  subscription: (query) => overWebSocket(served.url, query),
};

describe('a text no database could hold', () => {
  it.each(PLACES.map((place) => [`${place.operation} ${place.field}, ${place.path.join('.')}`, place] as const))(
    'is refused in %s',
    async (_what, { operation, path, call }) => {
      const ask = OPERATIONS[operation] as (query: string) => Promise<Answer>;
      const { data, errors } = await ask(`${operation} { ${call('"a\\u0000b"')} }`);
      expect(data ?? null).toBeNull();
      expect(errors).toMatchObject([
        {
          message: expect.stringContaining(`\`${path.join('.')}\` has a zero byte or half a character`),
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ]);
    },
  );

  it('is refused as a variable, in a list, and below the root', async () => {
    const list = vi.spyOn(served.market.services.history, 'listTrades');
    const query =
      'query ($symbol: String!) { instrument(exchange: "okx", symbol: "BTC-USDT") { symbol } trades(exchange: "okx", symbol: $symbol) { pageInfo { endCursor } } }';
    for (const symbol of ['\0', '\ud83d'])
      expect((await served.ask(query, { symbol })).errors).toMatchObject([
        { message: expect.stringContaining('`symbol` has'), extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    expect(list).not.toHaveBeenCalled();
    const ids = await served.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['YQ', '\0'] });
    expect(ids.errors).toMatchObject([{ message: expect.stringContaining('`ids` has') }]);
  });

  it('is refused over server-sent events', async () => {
    const response = await fetch(served.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { trades(symbols: ["\\u0000"]) { cursor } }' }),
    });
    expect(await response.text()).toMatch(/`symbols` has.*BAD_USER_INPUT/);
  });

  it('is none where every character is whole', async () => {
    const { errors } = await served.ask('{ instrument(exchange: "okx", symbol: "\u{1F600}") { symbol } }');
    expect(errors).toBeUndefined();
  });
});
