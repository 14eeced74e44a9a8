import fc from 'fast-check';
import { execute, parse } from 'graphql';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { executeAsText } from '../../src/graphql/execution/execute.ts';
import { schema } from '../../src/graphql/schema.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { TradeQuery } from '../../src/storage/trade-pages.ts';
import { type Market, openMarket, START, tradeOf } from './market.ts';

const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'];
const PAGE = '{ edges { node { symbol tradeId side } cursor } pageInfo { hasNextPage hasPreviousPage endCursor } }';
let market: Market;
/** What history was asked for: the symbols of each call. */
let calls: string[];

beforeEach(async () => {
  market = await openMarket();
  calls = [];
  for (let k = 0; k < 40; k += 1) market.store.commit(1, [tradeOf(k, SYMBOLS[k % 3])]);
});

afterEach(async () => {
  await market.manager.stop();
  market.feed[Symbol.dispose]();
  market.live[Symbol.dispose]();
});

const trades = (name: string, symbol: string, args = 'first: 2') =>
  `${name}: trades(exchange: "okx", symbol: "${symbol}", ${args}) ${PAGE}`;

const hasInstrument = async (_exchange: string, symbol: string) => SYMBOLS.includes(symbol);

const TOO_SLOW = new AppError('DATABASE_UNAVAILABLE', 'not all of them', {
  cause: Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' }),
});
const AWAY = new AppError('DATABASE_UNAVAILABLE', 'away', {
  cause: new Error('timeout exceeded when trying to connect'),
});

/** Answers a document; `together` fails the joint reading, `alone` the one of a market. */
async function ask(body: string, { together = null as Error | null, alone = '' } = {}) {
  const { history } = market.services;
  const contextValue = {
    ...market.services,
    history: {
      ...{ hasInstrument, findTrade: history.findTrade },
      listTrades: async (query: TradeQuery) => {
        calls.push(query.symbol);
        if (query.symbol === alone) throw new AppError('DATABASE_UNAVAILABLE', 'not now');
        return history.listTrades(query);
      },
      listTradesOf: async (...[markets, query]: Parameters<typeof history.listTradesOf>) => {
        calls.push(markets.map(({ symbol }) => symbol).join(' '));
        if (together) throw together;
        return history.listTradesOf(markets, query);
      },
    },
  };
  const result = await executeAsText({ schema, document: parse(`{ ${body} }`), contextValue });
  return JSON.parse(JSON.stringify(result)) as {
    data: unknown;
    errors?: readonly { path: string[]; message: string }[];
  };
}

/** Field by field, so that nothing is asked for in one turn. */
async function askEach(bodies: readonly string[]): Promise<unknown> {
  const all: Record<string, unknown> = {};
  const history = { ...market.services.history, hasInstrument };
  for (const body of bodies) {
    const contextValue = { ...market.services, history };
    Object.assign(all, (await execute({ schema, document: parse(`{ ${body} }`), contextValue })).data);
  }
  return JSON.parse(JSON.stringify(all));
}

it('pages that differ in their market alone are read together, also one that is asked for twice', async () => {
  const bodies = [...SYMBOLS, 'ETH-USDT'].map((symbol, k) => trades(`m${k}`, symbol));
  expect((await ask(bodies.join(' '))).data).toEqual(await askEach(bodies));
  expect(calls).toEqual(['BTC-USDT ETH-USDT SOL-USDT ETH-USDT']);
});

it('pages that differ in more are read apart', async () => {
  const args = ['first: 2', 'first: 3', 'last: 2', 'first: 2, side: BUY', 'first: 2, order: ASC'];
  const bodies = [...args, `first: 2, to: "${new Date(START + 1_000).toISOString()}"`].map((one, k) =>
    trades(`m${k}`, SYMBOLS[k % 3] ?? '', one),
  );
  expect((await ask(bodies.join(' '))).data).toEqual(await askEach(bodies));
  expect(calls).toHaveLength(bodies.length);
});

it('an operation never waits for another, nor reads with it', async () => {
  await Promise.all([ask(trades('a', 'BTC-USDT')), ask(trades('b', 'ETH-USDT'))]);
  expect(calls).toEqual(['BTC-USDT', 'ETH-USDT']);
});

it('what fails together is asked for alone, and only who fails alone has an error', async () => {
  const body = `${trades('a', 'BTC-USDT')} ${trades('b', 'NO-SUCH')} ${trades('c', 'SOL-USDT')}`;
  const { errors: unknown } = await ask(body);
  expect(unknown).toMatchObject([{ path: ['b'], message: expect.stringContaining('NO-SUCH') }]);
  // The answer does not wait for them, as it is lost.
  await vi.waitFor(() => expect(calls).toEqual(['BTC-USDT SOL-USDT']));

  calls = [];
  const bodies = [trades('a', 'BTC-USDT'), trades('c', 'SOL-USDT')];
  expect(await ask(bodies.join(' '), { together: TOO_SLOW })).toEqual({ data: await askEach(bodies) });
  expect(calls.splice(0)).toEqual(['BTC-USDT SOL-USDT', 'BTC-USDT', 'SOL-USDT']);

  const { errors } = await ask(bodies.join(' '), { together: new Error('of nobody knows what'), alone: 'SOL-USDT' });
  expect(errors).toMatchObject([{ path: ['c'], message: 'not now' }]);
});

it('where the database is away nobody waits for it twice', async () => {
  const { errors } = await ask(`${trades('a', 'BTC-USDT')} ${trades('c', 'SOL-USDT')}`, { together: AWAY });
  expect(errors).toMatchObject([{ path: ['a'], message: 'away' }]);
  expect(calls).toEqual(['BTC-USDT SOL-USDT']);
});

it('any document of pages is answered as its fields are one by one', async () => {
  const cursors: string[] = [];
  for (const symbol of SYMBOLS) {
    const { data } = await ask(trades('m', symbol, 'first: 9'));
    cursors.push(...(data as { m: { edges: { cursor: string }[] } }).m.edges.map(({ cursor }) => cursor));
  }
  const page = fc.record({
    market: fc.nat(2),
    size: fc.constantFrom('first: 1', 'first: 4', 'last: 2', ''),
    side: fc.constantFrom('', 'side: BUY', 'side: SELL'),
    after: fc.option(fc.nat(8)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(page, { minLength: 1, maxLength: 8 }), async (pages) => {
      // A cursor is good for the filter it came from.
      const bodies = pages.map(({ market: of, size, side, after }, k) => {
        const cursor = after === null || side !== '' ? '' : `after: "${cursors[of * 9 + after]}"`;
        return trades(`m${k}`, SYMBOLS[of] ?? '', [size, side, cursor].join(' '));
      });
      expect((await ask(bodies.join(' '))).data).toEqual(await askEach(bodies));
    }),
    { numRuns: 100 },
  );
});
