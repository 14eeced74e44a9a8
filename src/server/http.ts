import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { Services } from '../graphql/context.ts';
import { AppError, type ErrorCode, messageOf } from '../runtime/errors.ts';
import { newIncident } from '../runtime/incident.ts';
import type { Limits } from '../runtime/limits.ts';
import type { Log } from '../runtime/log.ts';
import type { Refusals } from '../runtime/refusals.ts';
import type { Tracer } from '../runtime/tracing.ts';
import { acceptsAnswers } from './accept.ts';
import { addressOf } from './address.ts';
import { type exportRoute, isExport } from './export.ts';
import type { GraphiQL } from './graphiql.ts';
import { admit } from './guard.ts';
import type { LandingPage } from './landing.ts';
import type { Metrics } from './metrics.ts';
import type { OriginRule } from './origin.ts';
import { answerGraphql } from './post.ts';
import type { RefusedMutations } from './refused-mutations.ts';
import { refuse, reply, unexpectedBody } from './reply.ts';
import { spanOfRequest } from './traced.ts';
import { whenClosed } from './when-closed.ts';
import { GRAPHQL_PATH, type Pipeline } from './yoga.ts';

export interface HttpOptions {
  readonly scheme: 'http' | 'https';
  readonly access: Access;
  readonly pipeline: Pipeline;
  readonly refusedMutations: RefusedMutations;
  readonly services: Services;
  readonly graphiql: GraphiQL;
  /** Whether GraphiQL is there also where tokens are needed. */
  readonly alwaysGraphiql: boolean;
  readonly serveExport: ReturnType<typeof exportRoute>;
  readonly landingPage: LandingPage;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly refusals: Refusals;
  readonly origins: OriginRule;
  readonly isReady: () => Promise<boolean>;
  readonly tracer: Tracer;
  readonly log: Log;
}

/** Nothing of ours is framed, sniffed or loaded from elsewhere. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const METHODS = 'GET, POST, OPTIONS';

/** What is refused before anything is done. */
const REFUSALS: Readonly<
  Partial<Record<ErrorCode, readonly [status: number, headers?: Readonly<Record<string, string>>]>>
> = {
  FORBIDDEN_ORIGIN: [403],
  FORBIDDEN: [403],
  UNAUTHENTICATED: [401, { 'www-authenticate': 'Bearer' }],
  TOO_MANY_FAILURES: [429, { 'retry-after': '60' }],
  ACCESS_UNAVAILABLE: [503, { 'retry-after': '5' }],
};

/** Answers every plain HTTP request. */
export const httpHandler =
  (options: HttpOptions) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await route(options, request, response);
    } catch (error) {
      const [status, headers] = (error instanceof AppError && REFUSALS[error.code]) || [];
      if (error instanceof AppError && status !== undefined)
        return refuse(response, status, error.code, error.message, headers);
      const correlationId = newIncident();
      options.log.error('A request failed inside', { correlationId, path: pathOf(request), reason: messageOf(error) });
      if (response.headersSent) response.destroy();
      else reply(response, 500, 'application/json', unexpectedBody(correlationId));
    }
  };

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';

async function route(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request);
  // Probes ask by address and carry nothing, so they are answered before the rule about names.
  if (path === '/livez') return reply(response, 200, 'text/plain', 'ok\n');
  if (path === '/readyz') {
    const ready = await options.isReady();
    return reply(response, ready ? 200 : 503, 'text/plain', ready ? 'ready\n' : 'not ready\n', {
      'cache-control': 'no-store',
    });
  }
  const origin = options.origins.check(request);
  response.setHeader('vary', 'origin');
  if (origin !== null) allow(response, origin);
  if (path === GRAPHQL_PATH) return graphql(options, request, response);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'METHOD_NOT_ALLOWED', 'Only GET is answered here', { allow: 'GET, HEAD' });
  if (path === '/') return landing(options, request, response);
  if (showsGraphiql(options) && (await options.graphiql.serve(path, request, response))) return;
  if (path === '/metrics' || isExport(path)) await admit(options.access, 'read', request, response);
  if (path === '/metrics') return metrics(options, response);
  if (await options.serveExport(path, request, response)) return;
  refuse(response, 404, 'NOT_FOUND', `There is nothing here; the API is at ${GRAPHQL_PATH}`);
}

function landing(options: HttpOptions, { headers }: IncomingMessage, response: ServerResponse): void {
  const url = new URL(`${options.scheme}://${headers.host}`).origin; // a name or address that `origins` lets pass
  const visit = { url, needsToken: !options.access.isOpen, hasGraphiql: showsGraphiql(options) };
  reply(response, 200, 'text/html', options.landingPage(visit), PAGE_HEADERS);
}

async function metrics({ metrics: of }: HttpOptions, response: ServerResponse): Promise<void> {
  const text = await of.text();
  response.writeHead(200, { 'content-type': of.contentType, 'cache-control': 'no-store' }).end(text);
}

const showsGraphiql = ({ access, alwaysGraphiql }: HttpOptions): boolean => alwaysGraphiql || access.isOpen;

async function graphql(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { access, pipeline, services, graphiql, limits, refusals, tracer } = options;
  const { method, headers } = request;
  if (method === 'OPTIONS') return void response.writeHead(204, { allow: METHODS }).end();
  if (method !== 'GET' && method !== 'POST')
    return refuse(response, 405, 'METHOD_NOT_ALLOWED', 'GraphQL is asked by GET or POST', { allow: METHODS });
  if (method === 'GET' && headers.accept?.includes('text/html')) {
    if (!showsGraphiql(options))
      return refuse(response, 404, 'NOT_FOUND', 'GraphiQL is off where tokens are needed; access.graphiql turns it on');
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    return graphiql.page(request, response);
  }
  // Asked before it is done: a mutation whose answer nobody can read would be a surprise.
  if (!acceptsAnswers(headers.accept))
    return refuse(response, 406, 'NOT_ACCEPTABLE', 'Answers are application/json; accept that, or text/event-stream');
  // Forms can be posted by any page without asking; JSON cannot.
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return refuse(response, 415, 'UNSUPPORTED_MEDIA_TYPE', 'POST takes application/json only', {
      accept: 'application/json',
    });
  headers['content-type'] = headers['content-type']?.toLowerCase(); // media types are; Yoga takes one spelling
  const broken = method === 'GET' ? brokenParameter(request) : null;
  if (broken !== null) return refuse(response, 400, 'BAD_REQUEST', `\`${broken}\` of the address is not JSON`);
  // Refused before it is read; what a chunked body hides is counted by the pipeline.
  if (Number(headers['content-length'] ?? 0) > limits.body_bytes) {
    refusals.count('body_bytes');
    return refuse(response, 413, 'REQUEST_ENTITY_TOO_LARGE', `A request has at most ${limits.body_bytes} bytes`, {
      connection: 'close', // or all of it would be read before the next request
    });
  }
  response.setHeader('x-content-type-options', 'nosniff');
  let principal: Principal;
  try {
    principal = await admit(access, 'read', request, response);
  } catch (error) {
    await options.refusedMutations.noteRequest(request);
    throw error;
  }
  const closed = (then: () => void) => whenClosed(response, then);
  const span = tracer.isOn ? spanOfRequest(tracer, request, response) : null;
  const caller = { principal, address: addressOf(request), closed, span };
  await answerGraphql({ pipeline, services }, request, response, caller);
}

/** The first parameter that should be JSON and is not; Yoga would take it for a fault of the server. */
function brokenParameter({ url = '' }: IncomingMessage): string | null {
  const parameters = new URLSearchParams(url.split('?', 2)[1]);
  return ['variables', 'extensions'].find((name) => !isJson(parameters.get(name) || '{}')) ?? null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function allow(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'authorization, content-type, accept, last-event-id');
  response.setHeader('access-control-max-age', '600');
}
