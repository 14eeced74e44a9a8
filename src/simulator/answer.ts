import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Dialect } from './dialect.ts';
import type { Fault } from './fault.ts';
import type { Faults } from './faults.ts';

export interface AnswerSetup {
  readonly dialect: Dialect;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly state: () => unknown;
  readonly onRest: () => void;
}

const MAX_CONTROL_BYTES = 64 * 1024;

/** Answers plain HTTP: `/control/...` for the switches, everything else as the exchange's REST, faults included. */
export async function answer(setup: AnswerSetup, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  try {
    if (url.pathname.startsWith('/control/')) await control(setup, url, request, response);
    else await rest(setup, url, request, response);
  } catch (thrown) {
    const wrong = thrown instanceof AppError;
    reply(
      response,
      wrong ? 400 : 500,
      JSON.stringify({ error: wrong ? thrown.message : `The simulator failed: ${messageOf(thrown)}` }),
    );
  }
}

async function rest(
  { dialect, faults, clock, onRest }: AnswerSetup,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  onRest();
  const place = { path: url.pathname, symbol: url.searchParams.get('instId') ?? url.searchParams.get('symbol') };
  const slow = faults.strike('rest-slow', place);
  if (slow !== null) await clock.sleep(slow.delayMs ?? 0);
  const down = faults.strike('rest-down', place);
  if (down?.status === 0) return void request.socket.resetAndDestroy();
  if (down !== null)
    return reply(response, down.status ?? 503, '<html><body>503 Service Unavailable</body></html>', {
      'content-type': 'text/html',
    });
  const limited = faults.strike('rest-limit', place);
  if (limited !== null) {
    const { status, body, headers } = dialect.tooFast(limited.status ?? 429, limited.retryAfterS ?? 1);
    return reply(response, status, body, headers);
  }
  const garbage = faults.strike('rest-garbage', place);
  if (garbage !== null)
    return reply(response, 200, garbage.text ?? '<html><body>maintenance</body></html>', {
      'content-type': 'text/html',
    });
  const now = clock.now();
  const horizonMs = Math.min(dialect.historyMs, faults.find('rest-horizon', {})?.horizonMs ?? Number.POSITIVE_INFINITY);
  const call = {
    path: url.pathname,
    query: url.searchParams,
    headers: plain(request),
    now,
    oldest: horizonMs === Number.POSITIVE_INFINITY ? 0 : now - horizonMs,
  };
  const { status, body, headers } = dialect.rest(call);
  reply(response, status, body, headers);
}

async function control(
  { faults, state }: AnswerSetup,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A page in a browser must not reach the switches: it cannot send this content type to another origin unasked.
  if (request.headers.origin !== undefined)
    return reply(response, 403, '{"error":"The control paths answer no web pages"}');
  const route = `${request.method} ${url.pathname}`;
  const id = /^DELETE \/control\/faults\/(\d+)$/.exec(route)?.[1];
  if (route === 'GET /control/state') return json(response, state());
  if (route === 'GET /control/faults') return json(response, faults.active);
  if (route === 'POST /control/faults') return json(response, { id: faults.add((await body(request)) as Fault) }, 201);
  if (route === 'DELETE /control/faults') faults.clear();
  else if (id !== undefined) faults.clear(Number(id));
  else
    return reply(
      response,
      404,
      '{"error":"GET /control/state, GET|POST|DELETE /control/faults, DELETE /control/faults/<id>"}',
    );
  json(response, faults.active);
}

async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_CONTROL_BYTES) throw new AppError('BAD_USER_INPUT', 'The body should be at most 64 KiB of JSON');
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new AppError('BAD_USER_INPUT', `The body should be JSON, such as {"kind":"cut"}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

const json = (response: ServerResponse, value: unknown, status = 200): void =>
  reply(
    response,
    status,
    JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)),
  );

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

const plain = (request: IncomingMessage): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
