import { vi } from 'vitest';
import type { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import type { TradeRequest } from '../../src/pipeline/feed/trade-request.ts';

/** Counts the trades the server takes from the feed for its clients. */
export function countTaken(feed: TradeFeed): { readonly trades: number } {
  const taken = { trades: 0 };
  const subscribe = feed.subscribe.bind(feed);
  vi.spyOn(feed, 'subscribe').mockImplementation((request: TradeRequest) => {
    const stream = subscribe(request);
    const next = stream.next.bind(stream);
    stream.next = async () => {
      const step = await next();
      taken.trades += step.value?.trades.length ?? 0;
      return step;
    };
    const handTo = stream.handTo.bind(stream);
    stream.handTo = (receiver) =>
      handTo({
        take: (batch) => {
          taken.trades += batch.trades.length;
          return receiver.take(batch);
        },
        ended: (failure) => receiver.ended(failure),
      });
    return stream;
  });
  return taken;
}
