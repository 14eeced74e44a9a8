/** graphql-ws over graphql-js, as Apollo Server's documentation wires subscriptions. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { TYPE_DEFS, tradeOf } from './documents.ts';
import { publishing } from './publishing.ts';

type Trade = ReturnType<typeof tradeOf>;

publishing(async () => {
  const pubSub = createPubSub<{ trades: [symbol: string, trade: Trade] }>();
  const schema = createSchema({
    typeDefs: TYPE_DEFS,
    resolvers: {
      Subscription: {
        trades: {
          subscribe: (_root: unknown, { symbol }: { symbol: string }) => pubSub.subscribe('trades', symbol),
          resolve: (trade: Trade) => trade,
        },
      },
    },
  });
  const server = createServer();
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    publish: (k) => pubSub.publish('trades', 'BTC-USDT', tradeOf(k)),
  };
});
