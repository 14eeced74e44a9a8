import { createClient } from 'graphql-sse';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { tradeOf } from '../graphql/market.ts';
import { LiveTrades } from './documents.ts';
import { type Served, serve } from './served.ts';
import { countTaken } from './taken.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const subscribed = (count = 1) => vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(count));

it('streams trades to the graphql-sse client and frees the place when it leaves', async () => {
  const client = createClient({ url: served.url, retryAttempts: 0 });
  // biome-ignore lint/suspicious/noExplicitAny: answers of documents written in the test itself
  const trades = client.iterate<any>({ query: String(LiveTrades) });
  const first = trades.next();
  await subscribed();
  served.market.trade(2);
  expect((await first).value.data.trades.edges.map(({ node }: { node: { tradeId: string } }) => node.tradeId)).toEqual(
    [0, 1].map((k) => tradeOf(k).tradeId),
  );
  await trades.return?.();
  await subscribed(0);
  client.dispose();
});

it('speaks to an EventSource: GET, events named next, data of one result each', async () => {
  const leave = new AbortController();
  const response = await fetch(
    `${served.url}?query=${encodeURIComponent('subscription { trades { edges { node { tradeId } } } }')}`,
    {
      headers: { accept: 'text/event-stream' },
      signal: leave.signal,
    },
  );
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  await subscribed();
  served.market.trade(1);
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (!/data: .*\n\n/.test(text)) text += (await reader?.read())?.value ?? '';
  expect(text).toMatch(
    /event: next\ndata: \{"data":\{"trades":\{"edges":\[\{"node":\{"tradeId":"9007199254740993"\}\}\]\}\}\}\n\n/,
  );
  leave.abort();
  await subscribed(0);
});

it('cuts the stream without completing it when the server goes', async () => {
  const response = await fetch(served.url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: String(LiveTrades) }),
  });
  await subscribed();
  const body = response.text();
  body.catch(() => {});
  await served.server[Symbol.asyncDispose]();
  await expect(body).rejects.toThrow();
  await subscribed(0);
});

it('takes nothing more from the feed for a client that does not read', async () => {
  const taken = countTaken(served.market.feed);
  const leave = new AbortController();
  await fetch(served.url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: String(LiveTrades) }),
    signal: leave.signal,
  });
  await subscribed();
  const count = 150_000;
  for (let sent = 0; sent < count; sent += 1_000) {
    served.market.trade(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(taken.trades).toBeLessThan(count / 2);
  leave.abort();
  await subscribed(0);
});
