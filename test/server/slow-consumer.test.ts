import { expect, it, vi } from 'vitest';
import { tradeOf } from '../graphql/market.ts';
import { open } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { serve } from './served.ts';
import { countTaken } from './taken.ts';

it('takes nothing more for a LOSSLESS client that does not read, and gives it every trade once when it does', async () => {
  await using served = await serve();
  const { feed } = served.market;
  const taken = countTaken(feed);
  const client = await open(served.url);
  await client.introduce();
  client.subscribe('1', LiveTrades, { delivery: { mode: 'LOSSLESS' } });
  await vi.waitFor(() => expect(feed.subscribers).toBe(1));
  client.socket.pause();

  // More than the feed holds for its subscribers, so what was missed must come from storage.
  const count = 150_000;
  for (let sent = 0; sent < count; sent += 1_000) {
    served.market.trade(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // What the kernel's buffers and 1 MiB of ours hold; without the limit it is all of them.
  expect(taken.trades).toBeLessThan(count / 2);

  client.socket.resume();
  const edges = () => client.frames.flatMap(({ payload }) => payload?.data?.trades.edges ?? []);
  await vi.waitFor(() => expect(edges().length).toBe(count), { timeout: 25_000, interval: 200 });
  expect(edges().every(({ node }, k) => node.tradeId === tradeOf(k).tradeId)).toBe(true);
  client.socket.terminate();
});
