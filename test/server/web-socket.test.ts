import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/runtime/errors.ts';
import { LIMITS } from '../../src/runtime/limits.ts';
import { gapOf } from '../graphql/ledger.ts';
import { bookOf, tickerOf, tradeOf } from '../graphql/market.ts';
import { connect, open, results } from './clients.ts';
import { CollectorEvents, Health, LiveTrades } from './documents.ts';
import { type Served, serve } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

// biome-ignore lint/suspicious/noExplicitAny: answers of documents written in the test itself
const seen = (result: IteratorResult<any>) =>
  result.value.data.trades.edges.map(({ node }: { node: { tradeId: string } }) => node.tradeId);
const subscribed = (count = 1) => vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(count));

describe('live trades', () => {
  it('come as they are recorded, with a cursor each', async () => {
    const { client } = connect(served.url);
    const trades = results(client, LiveTrades, { exchange: 'okx' });
    const first = trades.next();
    await subscribed();
    served.market.trade(3);
    const got = await first;
    expect(seen(got)).toEqual([0, 1, 2].map((k) => tradeOf(k).tradeId));
    expect(got.value.data.trades.phase).toBe('LIVE');
    await client.dispose();
  });

  it('graphql-ws #90: resume after a cursor without loss or repetition, from an edge as from a payload', async () => {
    const { client } = connect(served.url);
    const before = results(client, LiveTrades);
    const first = before.next();
    await subscribed();
    served.market.trade(10);
    const { edges, cursor } = (await first).value.data.trades;
    await before.return?.();
    served.market.trade(5);
    const all = Array.from({ length: 15 }, (_, k) => tradeOf(k).tradeId);
    for (const [after, from] of [
      [cursor, 10],
      [edges[3].cursor, 4],
    ] as const) {
      const resumed = results(client, LiveTrades, { after });
      const got: string[] = [];
      while (got.length < 15 - from) got.push(...seen(await resumed.next()));
      expect(got).toEqual(all.slice(from));
      await resumed.return?.();
    }
    await client.dispose();
  });

  it.each([
    [{ exchange: 'nope' }, 'EXCHANGE_UNKNOWN'],
    [{ symbols: ['NO-SUCH'] }, 'SYMBOL_UNKNOWN'],
    [{ symbols: [] }, 'BAD_USER_INPUT'],
    [{ after: 'hello' }, 'CURSOR_INVALID'],
    [{ delivery: { maxBatchMs: -1 } }, 'BAD_USER_INPUT'],
    [{ delivery: { maxPerSecond: 0 } }, 'BAD_USER_INPUT'],
  ])('with %j are refused with %s', async (variables, code) => {
    const { client } = connect(served.url);
    const { value } = await results(client, LiveTrades, variables).next();
    expect(value.errors[0].extensions).toEqual({ code });
    await client.dispose();
  });

  it('say in their notices what is missing of their market', async () => {
    const { client } = connect(served.url);
    const trades = results(
      client,
      'subscription { trades(exchange: "okx") { edges { cursor } notices { type missed exchange symbol firstId lastId status message } } }',
    );
    const first = trades.next();
    await subscribed();
    served.market.feed.gapChanged(gapOf(11, 20));
    expect((await first).value.data.trades).toEqual({
      edges: [],
      notices: [
        {
          ...{
            type: 'GAP',
            missed: null,
            exchange: 'okx',
            symbol: 'BTC-USDT',
            firstId: '11',
            lastId: '20',
            status: 'GAP',
          },
          message: '10 trades of okx:BTC-USDT are missing, 11 to 20: the socket was gone',
        },
      ],
    });
    await client.dispose();
  });

  it('end with a code when what followed the cursor is no longer kept', async () => {
    served.market.trade(1);
    const { client } = connect(served.url);
    const before = results(client, LiveTrades);
    const first = before.next();
    await subscribed();
    served.market.trade(1);
    const { cursor } = (await first).value.data.trades;
    await before.return?.();
    for (let sent = 0; sent < 70_000; sent += 1_000) served.market.trade(1_000); // more than the feed holds
    served.market.store.readFailure = new AppError(
      'CURSOR_EXPIRED',
      'Trades after this cursor were dropped by retention',
    );
    const { value } = await results(client, LiveTrades, { after: cursor }).next();
    expect(value.errors[0]).toMatchObject({
      message: 'Trades after this cursor were dropped by retention',
      extensions: { code: 'CURSOR_EXPIRED' },
    });
    await client.dispose();
  });

  it('free their place the moment the client leaves, even while the market is quiet', async () => {
    const { client } = connect(served.url);
    const trades = results(client, LiveTrades);
    const waiting = trades.next();
    await subscribed();
    await trades.return?.();
    await subscribed(0);
    expect(await waiting).toMatchObject({ done: true });
    await client.dispose();
  });

  it('free their place when the socket just vanishes', async () => {
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('1', LiveTrades);
    await subscribed();
    client.socket.terminate();
    await subscribed(0);
  });
});

it('shows the present book first, cut to the asked depth, then every change', async () => {
  served.market.live.publish(bookOf(50, 1));
  const { client } = connect(served.url);
  const books = results(
    client,
    'subscription { orderBook(exchange: "okx", symbol: "BTC-USDT", depth: 2) { orderBook { bids { price } sequence validity } } }',
  );
  const present = await books.next();
  expect(present.value.data.orderBook.orderBook).toEqual({
    bids: [{ price: '50000' }, { price: '49999' }],
    sequence: '1',
    validity: 'VALID',
  });
  served.market.live.publish({ ...bookOf(50, 2), validity: 'STALE' });
  expect((await books.next()).value.data.orderBook.orderBook).toMatchObject({ sequence: '2', validity: 'STALE' });
  await client.dispose();
});

it('asks which operation is meant when a document has several, in the words of HTTP', async () => {
  const { client } = connect(served.url);
  const refused = results(client, 'query A { __typename } query B { __typename }').next();
  await expect(refused).rejects.toMatchObject([{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }]);
  await client.dispose();
});

it.each([0, 401])('refuses a depth of %i', async (depth) => {
  const { client } = connect(served.url);
  const books = results(
    client,
    'subscription ($depth: Int) { orderBook(exchange: "okx", symbol: "BTC-USDT", depth: $depth) { conflated } }',
    { depth },
  );
  expect((await books.next()).value.errors[0]).toMatchObject({
    message: `\`depth\` is 1 to 400, was ${depth}`,
    extensions: { code: 'BAD_USER_INPUT' },
  });
  await client.dispose();
});

it('carries tickers, balances and what happens to collectors', async () => {
  const { client } = connect(served.url);
  served.market.live.publish(tickerOf('1.50'));
  const tickers = results(client, 'subscription { tickers(exchange: "okx") { tickers { last } } }');
  expect((await tickers.next()).value.data).toEqual({ tickers: { tickers: [{ last: '1.50' }] } });
  const events = results(client, CollectorEvents, { name: 'okx:BTC-USDT' });
  const first = events.next();
  await vi.waitFor(() => expect(served.market.events.listeners).toBe(1));
  await served.market.manager.stopCollector('okx:BTC-USDT');
  expect((await first).value.data.collectorEvents).toMatchObject({
    collector: 'okx:BTC-USDT',
    type: 'STATE_CHANGED',
    state: 'STOPPING',
  });
  expect((await events.next()).value.data.collectorEvents).toMatchObject({ state: 'STOPPED' });
  await client.dispose();
});

it('answers queries and mutations on the same socket', async () => {
  const { client } = connect(served.url);
  expect((await results(client, Health).next()).value.data.health.status).toBe('OK');
  const { value } = await results(
    client,
    'mutation { stopCollector(input: { name: "okx:BTC-USDT" }) { collector { state } } }',
  ).next();
  expect(value.data.stopCollector.collector.state).toBe('STOPPED');
  await client.dispose();
});

describe('one socket', () => {
  it('carries so many subscriptions; one more is refused with a code and the rest go on', async () => {
    await using served = await serve({ limits: { ...LIMITS, operations_per_socket: 50 } });
    const subscribed = (count: number) => vi.waitFor(() => expect(served.market.feed.subscribers).toBe(count));
    const client = await open(served.url);
    await client.introduce();
    for (let n = 1; n <= 51; n += 1) client.subscribe(String(n), LiveTrades);
    await vi.waitFor(() => expect(client.frames).toContainEqual(expect.objectContaining({ type: 'error', id: '51' })));
    expect(client.frames.find(({ id }) => id === '51').payload[0].extensions).toEqual({
      code: 'TOO_MANY_SUBSCRIPTIONS',
    });
    await subscribed(50);
    client.send({ type: 'complete', id: '1' });
    await subscribed(49);
    client.subscribe('again', LiveTrades);
    await subscribed(50);
    client.socket.terminate();
  });

  it('does not hold up the server with 20,000 subscribe frames at once', async () => {
    const client = await open(served.url);
    await client.introduce();
    for (let n = 0; n < 20_000; n += 1) client.subscribe(String(n), LiveTrades);
    const started = performance.now();
    expect((await served.ask('{ __typename }')).data).toEqual({ __typename: 'Query' });
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(served.market.services.trades.subscribers).toBeLessThanOrEqual(100);
    client.socket.terminate();
  });

  it('is closed with 4408 when it never introduces itself', async () => {
    const client = await open(served.url);
    expect((await client.closed).code).toBe(4408);
  });

  it('is closed with 4401 when it subscribes before it was acknowledged', async () => {
    const client = await open(served.url);
    client.subscribe('1', LiveTrades);
    expect((await client.closed).code).toBe(4401);
  });

  it('survives a document that cannot be parsed or is not valid', async () => {
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('bad', '{');
    client.subscribe('worse', '{ nonsense }');
    client.subscribe('good', '{ __typename }');
    await vi.waitFor(() =>
      expect(client.frames).toContainEqual({ id: 'good', type: 'next', payload: { data: { __typename: 'Query' } } }),
    );
    const codes = client.frames
      .filter(({ type }) => type === 'error')
      .map(({ id, payload }) => [id, payload[0].extensions]);
    expect(codes).toEqual([
      ['bad', { code: 'GRAPHQL_PARSE_FAILED' }],
      ['worse', { code: 'GRAPHQL_VALIDATION_FAILED' }],
    ]);
    client.socket.terminate();
  });
});

it('hasura #9453: closes sockets with 1001 when the server goes, and never tells a stream that it is complete', async () => {
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', LiveTrades);
  await subscribed();
  await served.server[Symbol.asyncDispose]();
  expect((await client.closed).code).toBe(1001);
  expect(client.frames.map(({ type }) => type)).toEqual(['connection_ack', 'next']);
  expect(client.frames[1].payload.data.trades).toMatchObject({ edges: [], notices: [{ type: 'DRAINING' }] });
  await subscribed(0);
});
