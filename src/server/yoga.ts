import { GraphQLError, type GraphQLSchema } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { GraphQLContext } from '../graphql/context.ts';
import type { ExposeError } from '../graphql/errors.ts';
import { execute, subscribe } from '../graphql/execution/execute.ts';
import { acceptsEvents } from './accept.ts';

export const GRAPHQL_PATH = '/graphql';
export const MAX_BODY_BYTES = 1_000_000;

/** The one pipeline from request to result. HTTP and server-sent events go through it whole, WebSockets through `getEnveloped`. */
export type Pipeline = YogaServerInstance<Record<string, unknown>, GraphQLContext>;

export function createPipeline(schema: GraphQLSchema, services: GraphQLContext, expose: ExposeError): Pipeline {
  return createYoga<Record<string, unknown>, GraphQLContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    context: () => services,
    plugins: [planned, eventsOnly, hangUpOnTooLarge],
    maskedErrors: { maskError: expose, isDev: false },
    maxRequestBodySize: MAX_BODY_BYTES,
    batching: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
  });
}

const planned: Plugin = {
  onExecute: ({ setExecuteFn }) => setExecuteFn(execute),
  onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscribe),
};

/** Over HTTP; a WebSocket has no request. Yoga would subscribe first, find nobody to answer, and leave the subscription behind. */
const eventsOnly: Plugin = {
  onSubscribe: ({ args, setResultAndStopExecution }) => {
    const { request } = args.contextValue as { readonly request?: Request };
    if (!request || acceptsEvents(request.headers.get('accept'))) return;
    const error = new GraphQLError(
      'A subscription is answered by events: accept text/event-stream, or use a WebSocket',
      { extensions: { code: 'NOT_ACCEPTABLE', http: { status: 406 } } },
    );
    setResultAndStopExecution({ errors: [error] });
  },
};

/** Half of the body is unread then, and would be taken for the next request. */
const hangUpOnTooLarge: Plugin = {
  onResponse: ({ response }) => {
    if (response.status === 413) response.headers.set('connection', 'close');
  },
};
