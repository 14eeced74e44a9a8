import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TradesPageQueryVariables } from '../generated/graphql.ts';
import { TradesPage } from '../server/documents.ts';
import { type Served, serve } from '../server/served.ts';
import { bookOf, START, tickerOf, tradeOf } from './market.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
  served.market.trade(25);
});
afterAll(() => served[Symbol.asyncDispose]());

const MARKET = { exchange: 'okx', symbol: 'BTC-USDT' };
const iso = (ms: number) => new Date(ms).toISOString();
const page = async (variables: Partial<TradesPageQueryVariables>) =>
  (await served.ask(String(TradesPage), { ...MARKET, ...variables })).data.trades;
const idsOf = (connection: { edges: { node: { tradeId: string } }[] }) =>
  connection.edges.map(({ node }) => node.tradeId);
const ids = (...ks: number[]) => ks.map((k) => tradeOf(k).tradeId);

describe('a page of trades', () => {
  it('has every value as it came, to the last digit', async () => {
    const { edges } = await page({ first: 1, order: 'ASC' });
    expect(edges[0].node).toMatchObject({
      ...{ tradeId: '9007199254740993', price: '50000.0000000000', size: '0.00012000', side: 'BUY' },
      ...{
        exchangeTime: '2026-01-01T00:00:00.000Z',
        receivedAt: '2026-01-01T00:00:00.005Z',
        sequence: '1',
        provenance: 'LIVE',
      },
    });
  });

  it('is newest first unless asked otherwise', async () => {
    expect(idsOf(await page({ first: 2 }))).toEqual(ids(24, 23));
    expect(idsOf(await page({ first: 2, order: 'ASC' }))).toEqual(ids(0, 1));
  });

  it('leads to the next until nothing follows, each trade once', async () => {
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const connection = await page({ first: 10, after });
      seen.push(...idsOf(connection));
      after = connection.pageInfo.endCursor;
      more = connection.pageInfo.hasNextPage;
    }
    expect(seen).toEqual(ids(...Array.from({ length: 25 }, (_, k) => 24 - k)));
  });

  it('is read from the end with `last`, still in order', async () => {
    const connection = await page({ last: 2 });
    expect(idsOf(connection)).toEqual(ids(1, 0));
    expect(connection.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    expect(idsOf(await page({ last: 2, before: connection.pageInfo.startCursor }))).toEqual(ids(3, 2));
  });

  it('holds [from, to): the start belongs to it, the end does not', async () => {
    expect(idsOf(await page({ from: iso(START + 200), to: iso(START + 400), order: 'ASC' }))).toEqual(ids(2, 3));
  });

  it('can be narrowed to one side', async () => {
    expect(idsOf(await page({ side: 'SELL', first: 2 }))).toEqual(ids(23, 21));
  });
});

describe('trades as of a time', () => {
  const asked = async (args: string) => {
    const fields = 'edges { node { tradeId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
    return served.ask(`{ trades(exchange: "okx", symbol: "ETH-USDT", order: ASC, ${args}) { ${fields} } }`);
  };
  const read = async (args: string) => (await asked(args)).data.trades;
  const ethIds = (...ks: number[]) => ks.map((k) => tradeOf(k, 'ETH-USDT').tradeId);
  /** When it was known up to trade 8. */
  const asOf = `asOf: "${iso(START + 805)}"`;

  beforeAll(() => {
    const trade = (k: number) => tradeOf(k, 'ETH-USDT');
    served.market.store.commit(2, [5, 6, 7, 8].map(trade));
    served.market.store.commit(2, [{ ...trade(1), receivedAt: START + 60_000 }], 'BACKFILL');
  });

  it('are those that were recorded by then, and a trade fetched later changes nothing', async () => {
    expect(idsOf(await read(asOf))).toEqual(ethIds(5, 6, 7, 8));
    expect(idsOf(await read(`asOf: "${iso(START + 804)}"`))).toEqual(ethIds(5, 6, 7));
    expect(idsOf(await read('first: 9'))).toEqual(ethIds(1, 5, 6, 7, 8));
  });

  it('come in pages, forth and back', async () => {
    const first = await read(`${asOf}, first: 3`);
    const second = await read(`${asOf}, first: 3, after: "${first.pageInfo.endCursor}"`);
    expect([idsOf(first), idsOf(second)]).toEqual([ethIds(5, 6, 7), ethIds(8)]);
    expect([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([true, false]);
    const last = await read(`${asOf}, last: 3`);
    const before = await read(`${asOf}, last: 3, before: "${last.pageInfo.startCursor}"`);
    expect([idsOf(before), idsOf(last)]).toEqual([ethIds(5), ethIds(6, 7, 8)]);
    expect([last.pageInfo.hasPreviousPage, before.pageInfo.hasPreviousPage]).toEqual([true, false]);
  });

  it('have cursors of their own', async () => {
    const { pageInfo } = await read(`${asOf}, first: 2`);
    for (const other of ['first: 2', `first: 2, asOf: "${iso(START + 806)}"`]) {
      const { errors } = await asked(`${other}, after: "${pageInfo.endCursor}"`);
      expect(errors?.[0]?.extensions?.code).toBe('CURSOR_INVALID');
    }
  });

  it('of a time to come nobody knows', async () => {
    const { errors } = await asked('asOf: "2999-01-01T00:00:00Z"');
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(/Nobody knows yet what is known at 2999-01-01T00:00:00.000Z/),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });
});

const TRADES = (args: string) => `{ trades(${args}) { edges { cursor } } }`;
const okx = 'exchange: "okx", symbol: "BTC-USDT"';

describe('bad input', () => {
  it.each([
    ['text that is not GraphQL', '{', 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    ['an unknown field', '{ nonsense }', 'GRAPHQL_VALIDATION_FAILED', /nonsense/],
    [
      'from after to',
      TRADES(`${okx}, from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z"`),
      'BAD_USER_INPUT',
      /`from` \(2026-01-02T00:00:00.000Z\) is after `to` \(2026-01-01T00:00:00.000Z\)/,
    ],
    ['first: 0', TRADES(`${okx}, first: 0`), 'BAD_USER_INPUT', /`first` is 1 to 1000, was 0/],
    ['first: 1001', TRADES(`${okx}, first: 1001`), 'BAD_USER_INPUT', /`first` is 1 to 1000, was 1001/],
    ['last: -1', TRADES(`${okx}, last: -1`), 'BAD_USER_INPUT', /`last` is 1 to 1000/],
    ['first and last', TRADES(`${okx}, first: 1, last: 1`), 'BAD_USER_INPUT', /not both/],
    ['an unknown exchange', TRADES('exchange: "nope", symbol: "BTC-USDT"'), 'EXCHANGE_UNKNOWN', /okx, binance/],
    [
      'an inherited name as exchange',
      TRADES('exchange: "constructor", symbol: "BTC-USDT"'),
      'EXCHANGE_UNKNOWN',
      /constructor/,
    ],
    ['an unknown symbol', TRADES('exchange: "okx", symbol: "NO-SUCH"'), 'SYMBOL_UNKNOWN', /NO-SUCH.*BASE-QUOTE/],
    ['a cursor that is none', TRADES(`${okx}, after: "hello"`), 'CURSOR_INVALID', /not a cursor of `trades`/],
    ['a day that does not exist', TRADES(`${okx}, from: "2026-02-30T00:00:00Z"`), 'BAD_USER_INPUT', /DateTime/],
    ['a time without zone', TRADES(`${okx}, from: "2026-02-01T00:00:00"`), 'BAD_USER_INPUT', /DateTime/],
    ['the year 0', TRADES(`${okx}, from: "0000-12-31T23:59:59Z"`), 'BAD_USER_INPUT', /DateTime/],
    ['a year 10000 by its offset', TRADES(`${okx}, to: "9999-12-31T23:59:59-01:00"`), 'BAD_USER_INPUT', /DateTime/],
    ['a time as a number', TRADES(`${okx}, from: 1767225600000`), 'BAD_USER_INPUT', /DateTime/],
    ['an id that is none', '{ node(id: "!") { id } }', 'BAD_USER_INPUT', /exactly as/],
    ['101 ids', `{ nodes(ids: [${'"a",'.repeat(101)}]) { id } }`, 'BAD_USER_INPUT', /at most 100/],
    ['balances of an unknown exchange', '{ balances(exchange: "nope") { currency } }', 'EXCHANGE_UNKNOWN', /nope/],
    ['collectors of an unknown exchange', '{ collectors(exchange: "nope") { name } }', 'EXCHANGE_UNKNOWN', /nope/],
  ])('%s is refused with a code', async (_what, query, code, message) => {
    const { errors = [] } = await served.ask(query);
    expect(errors[0]).toMatchObject({ message: expect.stringMatching(message), extensions: { code } });
  });

  it('says where in the document a wrong value stands', async () => {
    const { errors = [] } = await served.ask(`{ trades(${okx}, from: "yesterday") { edges { cursor } } }`);
    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('"yesterday"'),
      locations: [{ line: 1, column: 53 }],
    });
  });

  it.each([
    ['selections', `${'{ a '.repeat(20_000)}`],
    ['lists', `{ nodes(ids: ${'['.repeat(20_000)}`],
    ['fragments', `{ ${'... on Query { '.repeat(5_000)} __typename ${'}'.repeat(5_001)}`],
  ])('a document of %s too deep to be read is refused before it is', async (_what, query) => {
    const { errors = [] } = await served.ask(query);
    expect(errors[0]).toMatchObject({
      message: expect.stringMatching(/more than 1000 tokens/),
      extensions: { code: 'LIMIT_EXCEEDED', rule: 'tokens' },
    });
  });

  it.each([
    ['a wrong type', { first: 'ten' }, /first/],
    ['a missing variable', { symbol: undefined }, /symbol/],
    ['a time as a number', { from: 1 }, /DateTime/],
  ])('%s among the variables is refused with a code', async (_what, variables, message) => {
    const { errors = [] } = await served.ask(String(TradesPage), { ...MARKET, ...variables });
    expect(errors[0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  it('a cursor of another filter is refused, not misread', async () => {
    const { pageInfo } = await page({ first: 1 });
    const { errors = [] } = await served.ask(String(TradesPage), {
      ...MARKET,
      symbol: 'ETH-USDT',
      after: pageInfo.endCursor,
    });
    expect(errors[0]).toMatchObject({
      message: expect.stringMatching(/another field or filter/),
      extensions: { code: 'CURSOR_INVALID' },
    });
  });
});

describe('what no database could hold', () => {
  const base64url = (text: string) => Buffer.from(text).toString('base64url');
  const bound = (cursor: string) => Buffer.from(cursor, 'base64url').toString().slice(0, 8);

  it.each(['999999999999999 1', '-999999999999999 1', '1 \0', '1'])('is no cursor of trades: %j', async (text) => {
    const { pageInfo } = await page({ first: 1 });
    const { errors } = await served.ask(String(TradesPage), {
      ...MARKET,
      after: base64url(`${bound(pageInfo.endCursor)} ${text}`),
    });
    expect(errors?.[0]?.extensions?.code).toBe('CURSOR_INVALID');
  });

  it.each([`1 ${2n ** 64n}`, '1 abc', '1 -1', '999999999999999 1'])('is no cursor of tickers: %j', async (text) => {
    const row = {
      ...MARKET,
      timestamp: new Date(START),
      createdAt: new Date(START),
      dataType: 'ticker',
      data: {},
    } as const;
    served.market.rows.push({ ...row, id: 99n });
    const { data } = await served.ask(`{ marketData(${okx}, dataType: TICKER) { pageInfo { endCursor } } }`);
    served.market.rows.pop();
    const { errors } = await served.ask(
      `query ($after: Cursor) { marketData(${okx}, dataType: TICKER, after: $after) { edges { cursor } } }`,
      { after: base64url(`${bound(data.marketData.pageInfo.endCursor)} ${text}`) },
    );
    expect(errors?.[0]?.extensions?.code).toBe('CURSOR_INVALID');
  });

  it('has no cursor in the list of instruments, and no node', async () => {
    const { data } = await served.ask('{ instruments { pageInfo { endCursor } } }');
    const after = base64url(`${bound(data.instruments.pageInfo.endCursor)} okx \0`);
    const listed = await served.ask('query ($after: Cursor) { instruments(after: $after) { edges { cursor } } }', {
      after,
    });
    expect(listed.errors?.[0]?.extensions?.code).toBe('CURSOR_INVALID');
    const node = (id: string) => served.ask('query ($id: ID!) { node(id: $id) { id } }', { id: base64url(id) });
    for (const id of ['Instrument:okx/\0', 'Trade:okx/BTC-USDT/1/\0', 'Gap:okx/\0/trade/1/1'])
      expect((await node(id)).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    expect(await node('Trade:okx/BTC-USDT/999999999999999/1')).toEqual({ data: { node: null } });
  });
});

it('finds everything that has an id again by it', async () => {
  const { data } = await served.ask(`{
    trades(${okx}, first: 1) { edges { node { id } } }
    collectors { id }
    exchanges { id }
    instruments { edges { node { id } } }
  }`);
  const all = [
    data.trades.edges[0].node.id,
    data.collectors[0].id,
    data.exchanges[0].id,
    data.instruments.edges[0].node.id,
  ];
  const found = await served.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids: all });
  expect(found.data.nodes).toEqual(
    ['Trade', 'Collector', 'Exchange', 'Instrument'].map((__typename, at) => ({ __typename, id: all[at] })),
  );
});

it('answers null for a trade, collector or instrument that is not there', async () => {
  const ids = ['Collector:okx:NO-SUCH', 'Trade:okx/BTC-USDT/1/2', 'Instrument:okx/NO-SUCH'].map((id) =>
    Buffer.from(id).toString('base64url'),
  );
  const { data } = await served.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } collector(name: "x") { id } }', {
    ids,
  });
  expect(data).toEqual({ nodes: [null, null, null], collector: null });
});

it('pages instruments by name', async () => {
  const first = await served.ask(
    '{ instruments(first: 2) { edges { node { symbol base quote } } pageInfo { hasNextPage endCursor } } }',
  );
  expect(first.data.instruments.edges.map((edge: { node: unknown }) => edge.node)).toMatchObject([
    { symbol: 'BTC-USDT', base: 'BTC', quote: 'USDT' },
    { symbol: 'ETH-USDT' },
  ]);
  const after = first.data.instruments.pageInfo.endCursor;
  const second = await served.ask(
    'query ($after: Cursor) { instruments(after: $after) { edges { node { symbol } } pageInfo { hasNextPage } } }',
    { after },
  );
  expect(second.data.instruments).toEqual({
    edges: [{ node: { symbol: 'SOL-USDT' } }],
    pageInfo: { hasNextPage: false },
  });
});

it('reads stored tickers and books back from the payloads they were stored as', async () => {
  const { bids, asks } = bookOf(2, 7);
  const stored = { exchange: 'okx', symbol: 'BTC-USDT', timestamp: new Date(START), createdAt: new Date(START + 9) };
  const ticker = {
    instId: 'BTC-USDT',
    last: '50000.10',
    lastSz: '1',
    askPx: '2',
    askSz: '',
    bidPx: '1',
    bidSz: '3',
    open24h: '1',
    high24h: '2',
    low24h: '1',
    vol24h: '5',
    volCcy24h: '6',
    ts: String(START),
  };
  served.market.rows.push(
    { ...stored, id: 1n, dataType: 'ticker', data: ticker },
    { ...stored, id: 2n, dataType: 'orderbook', data: { bids, asks, sequence: 7, validity: 'STALE' } },
  );
  const { data, errors } = await served.ask(`{
    tickers(${okx}) { edges { node { last askSize exchangeTime receivedAt } } }
    orderBooks(${okx}) { edges { node { bids { price size } sequence validity } } }
    marketData(${okx}, dataType: TICKER) { edges { node { data dataType } } }
  }`);
  expect(errors).toBeUndefined();
  expect(data).toEqual({
    tickers: {
      edges: [{ node: { last: '50000.10', askSize: null, exchangeTime: iso(START), receivedAt: iso(START + 9) } }],
    },
    orderBooks: {
      edges: [
        {
          node: {
            bids: [
              { price: '50000', size: '1' },
              { price: '49999', size: '1' },
            ],
            sequence: '7',
            validity: 'STALE',
          },
        },
      ],
    },
    marketData: { edges: [{ node: { data: ticker, dataType: 'TICKER' } }] },
  });
  expect(tickerOf('1').kind).toBe('ticker');
});

it('shows what a collector could not use, by reason', async () => {
  served.market.collector.stumble('not JSON', '<html>1');
  served.market.collector.stumble('not JSON', '<html>2');
  const { data } = await served.ask('{ collectors { rejections { reason count sample } } }');
  expect(data.collectors[0].rejections).toEqual([{ reason: 'not JSON', count: 2, sample: '<html>2' }]);
});

it('says how everything is', async () => {
  const { data } = await served.ask(
    '{ health { status reasons collectors { state count } openGaps uptime version storage { state spooled } } manager { isRunning totalCollectors } }',
  );
  expect(data.manager).toEqual({ isRunning: true, totalCollectors: 1 });
  expect(data.health).toMatchObject({
    status: 'OK',
    reasons: [],
    openGaps: 0,
    version: '0.0.0-test',
    storage: { state: 'STORING', spooled: 0 },
  });
  expect(data.health.collectors).toContainEqual({ state: 'RUNNING', count: 1 });
});
