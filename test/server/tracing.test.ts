import { createClient as createSseClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TradeBatch } from '../../src/pipeline/feed/trade-request.ts';
import { PullStream } from '../../src/pipeline/stream/pull-stream.ts';
import { type Collector, type SeenSpan, startCollector } from '../telemetry/collector.ts';
import { traceTo } from '../telemetry/tracing.ts';
import { connect, open } from './clients.ts';
import { type Served, serve } from './served.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const QUERY = 'query Newest($n: Int) { trades(exchange: "okx", symbol: "BTC-USDT", first: $n) { edges { cursor } } }';
const RESTART =
  'mutation Restart { restartCollector(input: { name: "okx:NO-SUCH" }) { collector { name } userErrors { code } } }';

let stack: AsyncDisposableStack;
let collector: Collector;
let served: Served;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  collector = stack.use(await startCollector());
  const tracer = stack.use(await traceTo(collector.url));
  served = stack.use(await serve({ tracer }));
});
afterEach(() => stack.disposeAsync());

const post = async (query: string, headers: Record<string, string> = {}, variables = {}) => {
  const response = await fetch(served.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return response.text();
};

/** The one span that came of all. */
const theSpan = (): Promise<SeenSpan> =>
  vi.waitFor(() => {
    const [span] = collector.spans;
    if (!span) throw new Error('no span came');
    expect(collector.spans).toHaveLength(1);
    return span;
  });

describe('an operation is one span', () => {
  it('over HTTP, a part of the trace of its client, and tells nothing of its document and variables', async () => {
    await post(QUERY, { traceparent: TRACEPARENT }, { n: 7 });
    const span = await theSpan();
    expect(span).toMatchObject({
      ...{ name: 'query Newest', kind: 2, traceId: TRACE, parentSpanId: 'b7ad6b7169203331', status: { code: 0 } },
    });
    expect(span.attributes).toEqual({
      ...{ 'graphql.operation.name': 'Newest', 'graphql.operation.type': 'query' },
      ...{ 'tcp_dashboard.transport': 'http', 'http.response.status_code': 200 },
    });
    expect(collector.requests.map(({ body }) => body).join()).not.toMatch(/BTC-USDT|edges/);
  });

  it('as a mutation', async () => {
    await post(RESTART);
    expect(await theSpan()).toMatchObject({
      name: 'mutation Restart',
      attributes: { 'graphql.operation.type': 'mutation' },
    });
  });

  it('over a WebSocket, a part of the trace its extensions name', async () => {
    const { client } = connect(served.url);
    for await (const _ of client.iterate({ query: '{ __typename }', extensions: { traceparent: TRACEPARENT } }));
    const span = await theSpan();
    expect(span).toMatchObject({ name: 'query', traceId: TRACE, status: { code: 0 } });
    expect(span.attributes).toEqual({ 'graphql.operation.type': 'query', 'tcp_dashboard.transport': 'websocket' });
    await client.dispose();
  });

  it('over a WebSocket until its client leaves', async () => {
    const { introduce, subscribe, send, socket } = await open(served.url);
    await introduce();
    subscribe('one', 'subscription Live { trades { cursor } }');
    await vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(1));
    expect(collector.spans).toEqual([]);
    send({ id: 'one', type: 'complete' });
    expect(await theSpan()).toMatchObject({ name: 'subscription Live', status: { code: 0 } });
    socket.terminate();
  });

  it('over server-sent events until its client leaves', async () => {
    const client = createSseClient({ url: served.url, retryAttempts: 0 });
    const trades = client.iterate({ query: 'subscription Live { trades { cursor } }' });
    const first = trades.next();
    await vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(1));
    served.market.trade(1);
    await first;
    expect(collector.spans).toEqual([]);
    await trades.return?.();
    expect(await theSpan()).toMatchObject({
      ...{ name: 'subscription Live', attributes: { 'tcp_dashboard.transport': 'sse' }, status: { code: 0 } },
    });
    client.dispose();
  });
});

describe('an operation that fails', () => {
  const SUBSCRIPTION = 'subscription Live { trades(symbols: ["NO-SUCH"]) { cursor } }';
  const overSocket = async (query: string) => {
    const { client } = connect(served.url);
    const read = async () => {
      for await (const _ of client.iterate({ query }));
    };
    await read().catch(() => {});
    await client.dispose();
  };
  const overEvents = (query: string) => post(query, { accept: 'text/event-stream' });

  it.each([
    ['HTTP', post, QUERY, 'query Newest'],
    ['a WebSocket', overSocket, QUERY, 'query Newest'],
    ['server-sent events', overEvents, SUBSCRIPTION, 'subscription Live'],
    ['a WebSocket', overSocket, SUBSCRIPTION, 'subscription Live'],
  ])('inside says so over %s and not in which words', async (_transport, ask, query, name) => {
    served.market.failure = new Error('password hunter2');
    await ask(query);
    expect(await theSpan()).toMatchObject({
      ...{ name, status: { code: 2, message: 'INTERNAL_SERVER_ERROR' } },
      attributes: { 'error.type': 'INTERNAL_SERVER_ERROR' },
    });
    expect(collector.requests.map(({ body }) => body).join()).not.toContain('hunter2');
  });

  it.each([
    ['server-sent events', overEvents],
    ['a WebSocket', overSocket],
  ])('in the midst of a stream says so over %s', async (_transport, ask) => {
    const pull = () => {
      throw new Error('password hunter2');
    };
    const broken = new PullStream<TradeBatch>({ pull, close: () => {} });
    vi.spyOn(served.market.feed, 'subscribe').mockReturnValue(broken);
    await ask('subscription Live { trades { cursor } }');
    expect(await theSpan()).toMatchObject({ status: { code: 2, message: 'INTERNAL_SERVER_ERROR' } });
  });

  it.each([
    ['{ nothing }', 'query', 'GRAPHQL_VALIDATION_FAILED'],
    ['{ trades(exchange: "nope", symbol: "BTC-USDT") { edges { cursor } } }', 'query', 'EXCHANGE_UNKNOWN'],
    ['}', 'GraphQL operation', 'GRAPHQL_PARSE_FAILED'],
  ])('by %s has the code its client gets, over both transports', async (query, name, code) => {
    await post(query);
    await overSocket(query);
    await vi.waitFor(() => expect(collector.spans).toHaveLength(2));
    for (const span of collector.spans) expect(span).toMatchObject({ name, status: { code: 2, message: code } });
  });
});

it('metrics tell how many spans went', async () => {
  await post('{ __typename }');
  await theSpan();
  const page = async () => (await fetch(`${served.server.url}/metrics`)).text();
  await vi.waitFor(async () => expect(await page()).toContain('tcp_dashboard_spans_exported_total 1'));
});
