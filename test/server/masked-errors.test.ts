import { createClient as createSseClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TradeBatch } from '../../src/pipeline/feed/trade-request.ts';
import { PullStream } from '../../src/pipeline/stream/pull-stream.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { Log } from '../../src/runtime/log.ts';
import { connect, results } from './clients.ts';
import { type Served, serve } from './served.ts';

const SECRET = 'hunter2';
/** What a driver says when it goes wrong: everything a client must never read. */
const driverError = () =>
  Object.assign(
    new Error(`select * from trades where password = '${SECRET}' failed at /srv/app/src/storage/trades.ts:12`),
    {
      code: '42P01',
      extensions: { code: SECRET, detail: `/srv/${SECRET}` },
    },
  );

const INSIDE = /hunter2|password|select|\/srv|storage|stack|42P01/;

const logged: string[] = [];
const log: Log = { debug() {}, info() {}, warn() {}, error: (message) => logged.push(message) };
let served: Served;
beforeEach(async () => {
  logged.length = 0;
  served = await serve({ log });
  served.market.failure = driverError();
});
afterEach(() => served[Symbol.asyncDispose]());

const QUERY = '{ trades(exchange: "okx", symbol: "BTC-USDT") { edges { cursor } } }';
/** Fails where it subscribes: the symbol is looked up in history first. */
const SUBSCRIPTION = 'subscription { trades(symbols: ["NO-SUCH"]) { cursor } }';
/** Each gives the text of everything the client could read. */
const TRANSPORTS: Readonly<Record<string, (query: string) => Promise<string>>> = {
  HTTP: async (query) => {
    const response = await fetch(served.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(query.startsWith('subscription') ? { accept: 'text/event-stream' } : {}),
      },
      body: JSON.stringify({ query }),
    });
    return `${JSON.stringify([...response.headers])} ${await response.text()}`;
  },
  'server-sent events': async (query) => {
    const client = createSseClient({ url: served.url, retryAttempts: 0 });
    try {
      return JSON.stringify((await client.iterate({ query }).next()).value);
    } catch (error) {
      // The client shows only the status of what is no stream; the body is read over HTTP above.
      const { response } = error as { response: Response };
      return `${response.status} ${await response.text()}`;
    } finally {
      client.dispose();
    }
  },
  WebSocket: async (query) => {
    const { client, closed } = connect(served.url);
    const { value } = await results(client, query).next();
    await client.dispose();
    return JSON.stringify([value, (await closed).reason]);
  },
};

describe.each(Object.keys(TRANSPORTS))('over %s', (name) => {
  const ask = TRANSPORTS[name] as (typeof TRANSPORTS)[string];

  it.each([
    ['a query', QUERY],
    ['a subscription that cannot begin', SUBSCRIPTION],
  ])('%s that fails inside says nothing of the inside', async (_what, query) => {
    const text = await ask(query);
    expect(text).toContain('Unexpected error.');
    expect(text).toContain('INTERNAL_SERVER_ERROR');
    expect(text).not.toMatch(INSIDE);
    expect(logged).toContain('A request failed inside');
  });

  it('a subscription whose source fails ends with a last result that says nothing of the inside', async () => {
    served.market.failure = null;
    const broken = new PullStream<TradeBatch>({
      pull: () => {
        throw driverError();
      },
      close: () => {},
    });
    vi.spyOn(served.market.feed, 'subscribe').mockReturnValue(broken);
    const text = await ask('subscription { trades { cursor } }');
    expect(text).toContain('INTERNAL_SERVER_ERROR');
    expect(text).not.toMatch(INSIDE);
  });

  it('what a client may know is told with its code', async () => {
    served.market.failure = new AppError(
      'DATABASE_UNAVAILABLE',
      `The database cannot answer now: connect ENOENT /srv/${SECRET}`,
      {
        cause: driverError(),
      },
    );
    const text = await ask(QUERY);
    expect(text).toContain('The database does not answer');
    expect(text).toContain('DATABASE_UNAVAILABLE');
    expect(text).not.toMatch(INSIDE);
    expect(logged).toEqual([]);
  });

  it('a private code is masked like any other error', async () => {
    served.market.failure = new AppError('FRAME_MALFORMED', SECRET);
    const text = await ask(QUERY);
    expect(text).toContain('INTERNAL_SERVER_ERROR');
    expect(text).not.toMatch(/hunter2|FRAME_MALFORMED/);
  });
});
