import { expect, it, vi } from 'vitest';
import { tradeOf } from '../graphql/market.ts';
import { open } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { serve } from './served.ts';

it('keeps its memory while a LOSSLESS client does not read, and gives it every trade once when it does', async () => {
  await using served = await serve();
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', LiveTrades, { delivery: { mode: 'LOSSLESS' } });
  await vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(1));
  client.socket.pause();

  // More than the feed holds for its subscribers, so what was missed must come from storage.
  const count = 150_000;
  for (let sent = 0; sent < count; sent += 1_000) {
    served.market.trade(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const delivered = () =>
    client.frames.reduce((sum, { payload }) => sum + (payload?.data?.trades.edges.length ?? 0), 0);
  expect(delivered()).toBeLessThan(count / 2);

  client.socket.resume();
  await vi.waitFor(() => expect(delivered()).toBe(count), { timeout: 25_000, interval: 100 });
  const ids = client.frames.flatMap(({ payload }) => payload?.data?.trades.edges ?? []).map(({ node }) => node.tradeId);
  expect(ids.every((id, k) => id === tradeOf(k).tradeId)).toBe(true);
  client.socket.terminate();
});
