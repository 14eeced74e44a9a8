import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ExecutionResult } from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import type { Services } from '../graphql/context.ts';
import type { Span } from '../runtime/tracing.ts';
import { answerType } from './accept.ts';
import type { Asking } from './open-operations.ts';
import { type Asked, prepare } from './prepare.ts';
import { GRAPHQL_PATH, type Outcome, type Pipeline } from './yoga.ts';

export interface PostPorts {
  readonly pipeline: Pipeline;
  readonly services: Services;
}

/** Who asks, from where, and until when; what operations are run with. */
export interface PostCaller extends Asking {
  /** Calls once the answer is sent or cut. */
  readonly closed: (then: () => void) => void;
  /** Null: it is not traced. */
  readonly span: Span | null;
}

/** All that the pipeline's plugins look at, of a request that is not made into one of the fetch API. */
const POSTED = { method: 'POST' };

/**
 * Answers a GraphQL request. Most are a POST that asks for one JSON answer and gets one without errors: those are answered here, without the
 * objects of the fetch API. Whatever else they turn out to be is put into words by Yoga, so that every rule about status codes and media
 * types is in one place; docs/decisions/http-door.md says how.
 */
export async function answerGraphql(
  { pipeline, services }: PostPorts,
  request: IncomingMessage,
  response: ServerResponse,
  caller: PostCaller,
): Promise<void> {
  const type = isPlainPost(request) ? answerType(request.headers.accept) : null;
  if (type === null) return pipeline(request, response, { ...caller });
  const body = await bodyOf(request);
  if (body === null) return;
  const asked = readAsked(body);
  const outcome = asked && (await outcomeOf(asked));
  if (response.destroyed) return;
  if (outcome && 'result' in outcome && isPlain(outcome.result)) return send(response, type, outcome.result);
  await pipeline(withBody(request, body), response, { ...caller, ...(outcome && { outcome }) });

  /** Null: it is a subscription, and nothing has been run. */
  async function outcomeOf(params: Asked): Promise<Outcome | null> {
    const context = Object.assign(Object.create(services), { request: POSTED, params, ...caller });
    try {
      const prepared = await prepare(params, pipeline, context);
      if ('errors' in prepared) return { result: prepared };
      if (prepared.isSubscription) return null;
      const result = await prepared.run(prepared.args);
      return { result: result as ExecutionResult };
    } catch (thrown) {
      return { thrown };
    }
  }
}

/** Its length is known, and was found to be within the limit. */
const isPlainPost = ({ method, url, headers }: IncomingMessage): boolean =>
  method === 'POST' &&
  url === GRAPHQL_PATH &&
  Number(headers['content-length']) > 0 &&
  /^application\/json(;[^,]*)?$/.test(headers['content-type'] ?? '');

/** Null when the client left before it was all here. */
function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.once('end', () => resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)));
  request.once('error', () => resolve(null));
  request.once('close', () => resolve(null));
  if (request.closed) resolve(null);
  return promise;
}

/** Of each parameter of a request, whether it is what it should be. */
const PARAMETERS = new Map<string, (value: unknown) => boolean>([
  ['query', (value) => typeof value === 'string'],
  ['variables', isObjectOrNull],
  ['operationName', () => true],
  ['extensions', isObjectOrNull],
]);

/** What is asked; null for what is not in the least doubt a GraphQL request. */
function readAsked(body: Buffer): Asked | null {
  let params: unknown;
  try {
    params = JSON.parse(body.toString());
  } catch {
    return null;
  }
  if (params === null || !isObjectOrNull(params) || !Object.hasOwn(params, 'query')) return null;
  return Object.entries(params).every(([name, value]) => PARAMETERS.get(name)?.(value)) ? (params as Asked) : null;
}

function isObjectOrNull(value: unknown): value is object | null {
  return typeof value === 'object' && !Array.isArray(value);
}

const isPlain = (result: ExecutionResult): boolean => !result.errors && !result.extensions && !isAsyncIterable(result);

function send(response: ServerResponse, type: string, result: ExecutionResult & { stringify?: () => Buffer }): void {
  const body = result.stringify?.() ?? Buffer.from(JSON.stringify(result));
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-length': body.length }).end(body);
}

/** The request again, as its stream has been read. */
const withBody = (request: IncomingMessage, body: Buffer): IncomingMessage =>
  Object.assign(request, { body: Readable.from([body]) });
