import { createClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { LIMITS } from '../../src/runtime/limits.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { startServer } from '../../src/server/start-server.ts';
import { localAccess } from '../access/local-access.ts';
import { tradeOf } from '../graphql/market.ts';
import { HandEventSource } from './event-source.ts';
import { noExports, type Served, serve } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const at = (query: string, variables: object = {}) =>
  `${served.url}?query=${encodeURIComponent(query)}&variables=${encodeURIComponent(JSON.stringify(variables))}`;
const subscribed = (count = 1) => vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(count));
const TRADES =
  'subscription ($after: Cursor) { trades(after: $after) { edges { node { tradeId } } notices { type } } }';
const tradesOf = ({ events }: HandEventSource): string[] =>
  events.flatMap(({ data }) =>
    (JSON.parse(data).data?.trades.edges ?? []).map(({ node }: { node: { tradeId: string } }) => node.tradeId),
  );
const ids = (count: number, from = 0) => Array.from({ length: count }, (_, k) => tradeOf(from + k).tradeId);

describe('a plain EventSource', () => {
  it('hears a cursor with every event, whether or not the document asks for it', async () => {
    using source = new HandEventSource(at(TRADES));
    void source.connect();
    await subscribed();
    served.market.trade(2);
    await vi.waitFor(() => expect(source.events).toHaveLength(1));
    expect(source.events[0]?.type).toBe('next');
    const { data } = await served.ask(`query { __typename }`);
    expect(data).toEqual({ __typename: 'Query' });
    expect(source.events[0]?.lastEventId).not.toBe('');
    expect(source.retryMs).toBe(1_000);
  });

  it('graphql-ws #90: gets every trade once through 40 disconnects, by Last-Event-ID alone', async () => {
    using source = new HandEventSource(at(TRADES));
    let made = 0;
    for (let round = 0; round < 40; round += 1) {
      const connected = source.connect();
      if (round % 3 !== 0) await subscribed();
      made += 1 + (round % 4);
      served.market.trade(1 + (round % 4));
      if (round === 0) await vi.waitFor(() => expect(source.lastEventId).not.toBe(''));
      if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      source.cut();
      await connected;
      await subscribed(0);
    }
    void source.connect();
    await vi.waitFor(() => expect(tradesOf(source).at(-1)).toBe(ids(made).at(-1)));
    const seen = tradesOf(source);
    expect(seen).toEqual(ids(made).slice(made - seen.length));
    expect(seen.length).toBeGreaterThan(made - 3); // what came before the first connection stood is not missed
  });

  it('misses nothing of what came before its first event, as it begins with an id', async () => {
    served.market.trade(3);
    using source = new HandEventSource(at(TRADES));
    const connected = source.connect();
    await vi.waitFor(() => expect(source.lastEventId).not.toBe(''));
    expect(source.events).toEqual([]);
    source.cut();
    await connected;
    await subscribed(0);
    served.market.trade(2);
    void source.connect();
    await vi.waitFor(() => expect(tradesOf(source)).toEqual(ids(2, 3)));
  });

  it('dfuse client-js #52: goes on where it was, not where its address says it began', async () => {
    using first = new HandEventSource(at(TRADES));
    void first.connect();
    await vi.waitFor(() => expect(first.lastEventId).not.toBe(''));
    const start = first.lastEventId;
    served.market.trade(5);
    await vi.waitFor(() => expect(tradesOf(first)).toEqual(ids(5)));
    first.cut();
    served.market.trade(2);
    using again = new HandEventSource(at(TRADES, { after: start }), first.lastEventId);
    void again.connect();
    await vi.waitFor(() => expect(tradesOf(again)).toEqual(ids(2, 5)));
    using fresh = new HandEventSource(at(TRADES, { after: start }));
    void fresh.connect();
    await vi.waitFor(() => expect(tradesOf(fresh)).toEqual(ids(7)));
  });

  it('is told when its place is none', async () => {
    using source = new HandEventSource(at(TRADES), 'nonsense');
    await source.connect();
    expect(source.events.map(({ type, data }) => [type, JSON.parse(data || '{}').errors?.[0].extensions])).toEqual([
      ['next', { code: 'CURSOR_INVALID' }],
    ]);
  });

  it('is told that the server goes away, and then cut off without a word of completion', async () => {
    using source = new HandEventSource(at(TRADES));
    const connected = source.connect();
    await subscribed();
    await served.server[Symbol.asyncDispose]();
    await connected;
    expect(source.events.map(({ type, data }) => [type, JSON.parse(data).data.trades.notices])).toEqual([
      ['next', [{ type: 'DRAINING' }]],
    ]);
    expect(source.lastEventId).not.toBe('');
  });

  it('cosmo #972: carries its subscription over a restart of the server', async () => {
    using source = new HandEventSource(at(TRADES));
    let connected = source.connect();
    await subscribed();
    served.market.trade(2);
    await vi.waitFor(() => expect(tradesOf(source)).toEqual(ids(2)));
    await served.server[Symbol.asyncDispose]();
    await connected;
    served.market.trade(3);
    await using next = await startServer({
      ...{
        access: localAccess(),
        schema,
        services: served.market.services,
        exports: noExports,
        host: '127.0.0.1',
        port: served.server.port,
        allowedOrigins: [],
        limits: LIMITS,
      },
      ...{ checkReady: async () => true, clock: systemClock, log: silentLog, graphqlLog: silentLog },
    });
    expect(next.port).toBe(served.server.port);
    connected = source.connect();
    await vi.waitFor(() => expect(tradesOf(source)).toEqual(ids(5)));
    served.market.trade(1);
    await vi.waitFor(() => expect(tradesOf(source)).toEqual(ids(6)));
    source.cut();
    await connected;
  });

  it('hears of collectors too, each event once', async () => {
    using source = new HandEventSource(at('subscription { collectorEvents { type state } }'));
    const connected = source.connect();
    await vi.waitFor(() => expect(source.lastEventId).not.toBe(''));
    await served.market.manager.stopCollector('okx:BTC-USDT');
    await vi.waitFor(() => expect(source.events).toHaveLength(2));
    source.cut();
    await connected;
    await served.market.manager.startCollector('okx:BTC-USDT');
    void source.connect();
    await vi.waitFor(() => expect(source.events).toHaveLength(4));
    expect(source.events.map(({ data }) => JSON.parse(data).data.collectorEvents.state)).toEqual([
      ...['STOPPING', 'STOPPED', 'STARTING', 'RUNNING'],
    ]);
  });

  it('hears no ids from what cannot be resumed', async () => {
    using source = new HandEventSource(
      at('subscription { tickers { tickers { last } } }'),
      'whatever it got elsewhere',
    );
    source.lastEventId = '';
    void source.connect();
    await vi.waitFor(() => expect(served.market.live.subscribers).toBe(1));
    served.market.live.drain();
    await vi.waitFor(() => expect(source.events).toHaveLength(1));
    expect(source.lastEventId).toBe('');
  });
});

it('sends its ids to the graphql-sse client without harm', async () => {
  const client = createClient({ url: served.url, retryAttempts: 0 });
  // biome-ignore lint/suspicious/noExplicitAny: answers of documents written in the test itself
  const trades = client.iterate<any>({ query: TRADES });
  const first = trades.next();
  await subscribed();
  served.market.trade(1);
  expect((await first).value.data.trades.edges).toHaveLength(1);
  await trades.return?.();
  client.dispose();
});
