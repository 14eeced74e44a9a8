import { type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { GraphQLContext, Services } from '../graphql/context.ts';
import type { ExposeError } from '../graphql/errors.ts';
import { execute, executeAsText, subscribe } from '../graphql/execution/execute.ts';
import { type CheckOperation, operationCheck } from '../graphql/limits/operation-limits.ts';
import { ruleOf } from '../graphql/limits/refusal.ts';
import type { Resume } from '../graphql/resume.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Limits } from '../runtime/limits.ts';
import type { Refusals } from '../runtime/refusals.ts';
import type { Span, Tracer } from '../runtime/tracing.ts';
import { acceptsEvents } from './accept.ts';
import { DocumentCache } from './document-cache.ts';
import { eventStream } from './event-stream.ts';
import { guarded } from './guard.ts';
import { limited } from './limited.ts';
import { noted, noting } from './noted-refusals.ts';
import type { Asking, OpenOperations } from './open-operations.ts';
import type { RefusedMutations } from './refused-mutations.ts';
import { failBy, traced } from './traced.ts';
import { type TrustedDocuments, trusting } from './trusted-documents.ts';

export const GRAPHQL_PATH = '/graphql';

/**
 * The one pipeline from request to result. Most of HTTP and server-sent events go through it whole; WebSockets, and POSTs that ask for
 * one JSON answer, through `getEnveloped`.
 */
export type Pipeline = YogaServerInstance<Record<string, unknown>, GraphQLContext>;

export interface PipelineOptions {
  readonly access: Access;
  readonly refusedMutations: RefusedMutations;
  readonly open: OpenOperations;
  readonly expose: ExposeError;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly refusals: Refusals;
  readonly tracer: Tracer;
  /** Null: any document is taken. */
  readonly trusted: TrustedDocuments | null;
}

export function createPipeline(
  schema: GraphQLSchema,
  services: Services,
  { access, refusedMutations, open, expose, clock, limits, refusals, tracer, trusted }: PipelineOptions,
): Pipeline {
  return createYoga<Record<string, unknown>, GraphQLContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    // Others bring their context along: a copy of all services is a kilobyte for each operation.
    context: (given) =>
      'exchanges' in given
        ? ({} as GraphQLContext)
        : {
            ...{ ...services, principal: given.principal as Principal, address: String(given.address) },
            ...{ resume: resumeOf(given.request), closed: given.closed },
          },
    plugins: [
      ...(tracer.isOn ? [traced] : []),
      foundOut,
      limited(limits, refusals),
      noted(refusedMutations),
      ...(trusted
        ? [trusting({ documents: trusted, asksFreely: hasToken, refused: untrusted(refusedMutations) })]
        : []),
      guarded(access, refusedMutations),
      planned(counting(operationCheck(limits, clock), refusals), refusedMutations),
      eventsOnly,
      counted(open),
      eventsWithIds(clock),
      hangUpOnTooLarge(refusals),
    ],
    // What fails to parse is parsed again: whoever sends rubbish has nothing kept of it.
    parserAndValidationCache: {
      documentCache: new DocumentCache(),
      errorCache: { get: () => undefined, set: () => {} },
    },
    maskedErrors: { maskError: expose, isDev: false },
    maxRequestBodySize: limits.body_bytes,
    batching: false,
    multipart: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    logging: false,
  });
}

/** What came of an operation that was run outside and is only to be answered. */
export type Outcome = { readonly result: ExecutionResult } | { readonly thrown: unknown };

const foundOut: Plugin = {
  onParams: ({ context, setResult }) => {
    const { outcome } = context as { readonly outcome?: Outcome };
    if (!outcome) return;
    if ('thrown' in outcome) throw outcome.thrown;
    setResult(outcome.result);
  },
};

const hasToken = (context: unknown): boolean =>
  ['token', 'jwt'].includes((context as Pick<GraphQLContext, 'principal'>).principal.kind);

const untrusted = (mutations: RefusedMutations) => (context: unknown, code: string) => {
  const { params, principal, address } = context as Asking & { readonly params?: unknown };
  mutations.noteUnread(params, { principal, address }, code);
};

const planned = (check: CheckOperation, mutations: RefusedMutations): Plugin => ({
  // Over HTTP answers are only sent; a WebSocket has no request.
  onExecute: ({ args: { contextValue }, setExecuteFn }) =>
    setExecuteFn((args) => (contextValue.request ? executeAsText : execute)(args, noting(check, mutations, args))),
  onSubscribe: ({ setSubscribeFn }) => setSubscribeFn((args) => subscribe(args, check)),
});

const counting =
  (check: CheckOperation, refusals: Refusals): CheckOperation =>
  (...asked) => {
    const broken = check(...asked);
    const rule = broken && ruleOf(broken);
    if (rule !== null) refusals.count(rule);
    return broken;
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

/** Over HTTP; a WebSocket counts its own operations. An event stream is open until its response is closed, however that comes about. */
const counted = (open: OpenOperations): Plugin => ({
  onSubscribe: ({ args, setResultAndStopExecution }) => {
    const contextValue: unknown = args.contextValue;
    const { closed, principal, address } = contextValue as Asking & { readonly closed?: (then: () => void) => void };
    if (!closed) return;
    const refused = open.enter({ principal, address });
    if (refused) setResultAndStopExecution({ errors: [refused] });
    else closed(() => open.leave({ principal, address }));
  },
});

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
  onResultProcess: ({ request, result, setResultProcessor, serverContext }) => {
    if (!isAsyncIterable(result)) return;
    const results = result as AsyncIterable<ExecutionResult>;
    const { span } = serverContext as { readonly span?: Span | null };
    const failed = (errors: readonly GraphQLError[]) => span && failBy(span, errors);
    setResultProcessor(
      (_result, fetchAPI) =>
        eventStream({ results, start: resuming.get(request)?.start ?? null, clock, failed }, fetchAPI),
      'text/event-stream',
    );
  },
});

/** Half of the body is unread then, and would be taken for the next request. */
const hangUpOnTooLarge = (refusals: Refusals): Plugin => ({
  onResponse: ({ response }) => {
    if (response.status !== 413) return;
    refusals.count('body_bytes');
    response.headers.set('connection', 'close');
  },
});
