import { createPubSub, createSchema } from 'graphql-yoga';
import { TYPE_DEFS, tradeOf } from './documents.ts';

type Trade = ReturnType<typeof tradeOf>;

/** What the peers serve that take a schema, and how a trade is published to its subscribers. */
export function openSchema() {
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
  return { schema, publish: (k: number) => pubSub.publish('trades', 'BTC-USDT', tradeOf(k)) };
}
