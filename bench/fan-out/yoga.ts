/** GraphQL Yoga with graphql-ws, wired as its documentation says. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { TYPE_DEFS, tradeOf } from './documents.ts';
import { publishing } from './publishing.ts';

type Trade = ReturnType<typeof tradeOf>;
type Enveloped = { readonly rootValue: { execute(args: ExecutionArgs): never; subscribe(args: ExecutionArgs): never } };

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
  const yoga = createYoga({ schema, logging: false });
  const server = createServer((request, response) => void yoga(request, response));
  const wss = new WebSocketServer({ server, path: yoga.graphqlEndpoint });
  useServer(
    {
      execute: (args) => (args as unknown as Enveloped).rootValue.execute(args),
      subscribe: (args) => (args as unknown as Enveloped).rootValue.subscribe(args),
      onSubscribe: async (ctx, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...ctx,
          ...{ req: ctx.extra.request, socket: ctx.extra.socket, params },
        });
        const args = {
          ...{ schema, operationName: params.operationName, document: parse(params.query) },
          ...{ variableValues: params.variables, contextValue: await contextFactory() },
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    wss,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    publish: (k) => pubSub.publish('trades', 'BTC-USDT', tradeOf(k)),
  };
});
