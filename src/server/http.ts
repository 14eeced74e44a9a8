import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { GraphiQL } from './graphiql.ts';
import type { OriginRule } from './origin.ts';
import { refuse, reply } from './reply.ts';
import { GRAPHQL_PATH, MAX_BODY_BYTES, type Pipeline } from './yoga.ts';

export interface HttpOptions {
  readonly pipeline: Pipeline;
  readonly graphiql: GraphiQL;
  readonly landingPage: string;
  readonly origins: OriginRule;
  readonly isReady: () => Promise<boolean>;
  readonly log: Log;
}

/** Nothing of ours is framed, sniffed or loaded from elsewhere. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Answers every plain HTTP request. */
export const httpHandler =
  (options: HttpOptions) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await route(options, request, response);
    } catch (error) {
      if (error instanceof AppError && error.code === 'FORBIDDEN_ORIGIN')
        return refuse(response, 403, error.code, error.message);
      options.log.error('A request failed inside', { path: pathOf(request), reason: messageOf(error) });
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'INTERNAL_SERVER_ERROR', 'Unexpected error.');
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
  if (path === '/') return reply(response, 200, 'text/html', options.landingPage, PAGE_HEADERS);
  if (await options.graphiql.serve(path, request, response)) return;
  refuse(response, 404, 'NOT_FOUND', `There is nothing here; the API is at ${GRAPHQL_PATH}`);
}

async function graphql(
  { pipeline, graphiql }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, headers } = request;
  if (method === 'OPTIONS') return void response.writeHead(204, { allow: 'GET, POST, OPTIONS' }).end();
  if (method === 'GET' && headers.accept?.includes('text/html')) {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    return graphiql.page(request, response);
  }
  // Forms can be posted by any page without asking; JSON cannot.
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return refuse(response, 415, 'UNSUPPORTED_MEDIA_TYPE', 'POST takes application/json only', {
      accept: 'application/json',
    });
  // Refused before it is read; what a chunked body hides is counted by the pipeline.
  if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES)
    return refuse(response, 413, 'REQUEST_ENTITY_TOO_LARGE', `A request has at most ${MAX_BODY_BYTES} bytes`);
  response.setHeader('x-content-type-options', 'nosniff');
  await pipeline(request, response);
}

function allow(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'content-type, accept');
  response.setHeader('access-control-max-age', '600');
}
