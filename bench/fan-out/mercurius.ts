/** Mercurius with its just-in-time compiler from the first execution on. */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { TYPE_DEFS, tradeOf } from './documents.ts';
import { publishing } from './publishing.ts';

publishing(async () => {
  const app = Fastify();
  await app.register(mercurius, {
    ...{ schema: TYPE_DEFS, jit: 1, subscription: true },
    resolvers: {
      Query: { ok: () => true },
      Subscription: {
        trades: {
          subscribe: (_root, { symbol }: { symbol: string }, { pubsub }) => pubsub.subscribe(`trades ${symbol}`),
        },
      },
    },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    port: (app.server.address() as AddressInfo).port,
    publish: (k) => app.graphql.pubsub.publish({ topic: 'trades BTC-USDT', payload: { trades: tradeOf(k) } }),
  };
});
