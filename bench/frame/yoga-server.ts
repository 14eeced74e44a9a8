import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs, GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

type Enveloped = { readonly rootValue: { execute(args: ExecutionArgs): never; subscribe(args: ExecutionArgs): never } };

/** GraphQL Yoga with graphql-ws, wired as its documentation says. Returns the port. */
export async function serveByYoga(schema: GraphQLSchema): Promise<number> {
  const yoga = createYoga({ schema, logging: false });
  const server = createServer((request, response) => void yoga(request, response));
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
    new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
