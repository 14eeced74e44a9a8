import { type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { GraphQLContext, Services } from '../graphql/context.ts';
import type { ExposeError } from '../graphql/errors.ts';
import { execute, executeAsText, subscribe } from '../graphql/execution/execute.ts';
import type { Resume } from '../graphql/resume.ts';
import type { Clock } from '../runtime/clock.ts';
import { acceptsEvents } from './accept.ts';
import { eventStream } from './event-stream.ts';

export const GRAPHQL_PATH = '/graphql';
export const MAX_BODY_BYTES = 1_000_000;

/** The one pipeline from request to result. HTTP and server-sent events go through it whole, WebSockets through `getEnveloped`. */
export type Pipeline = YogaServerInstance<Record<string, unknown>, GraphQLContext>;

export function createPipeline(
  schema: GraphQLSchema,
  services: Services,
  { expose, clock }: { readonly expose: ExposeError; readonly clock: Clock },
): Pipeline {
  return createYoga<Record<string, unknown>, GraphQLContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    // A WebSocket has no request and brings its context along: a copy of all services is a kilobyte for each operation.
    context: ({ request }) => (request ? { ...services, resume: resumeOf(request) } : ({} as GraphQLContext)),
    plugins: [planned, eventsOnly, eventsWithIds(clock), hangUpOnTooLarge],
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
  // Over HTTP answers are only sent; a WebSocket has no request.
  onExecute: ({ args, setExecuteFn }) => setExecuteFn(args.contextValue.request ? executeAsText : execute),
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

/** A resume and where its subscription starts. */
interface Resuming extends Resume {
  start: string | null;
}

const resuming = new WeakMap<Request, Resuming>();

/** What a request says of where to go on, and is told of where it begins. */
function resumeOf(request: Request): Resuming {
  const known = resuming.get(request);
  if (known) return known;
  const made: Resuming = {
    lastEventId: request.headers.get('last-event-id'),
    start: null,
    startsAt: (cursor) => {
      made.start = cursor;
    },
  };
  resuming.set(request, made);
  return made;
}

/** Yoga's own event streams have no ids, so that an EventSource could not resume. */
const eventsWithIds = (clock: Clock): Plugin => ({
  onResultProcess: ({ request, result, setResultProcessor }) => {
    if (!isAsyncIterable(result)) return;
    const results = result as AsyncIterable<ExecutionResult>;
    setResultProcessor(
      (_result, fetchAPI) => eventStream(results, resuming.get(request)?.start ?? null, clock, fetchAPI),
      'text/event-stream',
    );
  },
});

/** Half of the body is unread then, and would be taken for the next request. */
const hangUpOnTooLarge: Plugin = {
  onResponse: ({ response }) => {
    if (response.status === 413) response.headers.set('connection', 'close');
  },
};
