import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Access } from '../access/access.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import { newIncident } from '../runtime/incident.ts';
import type { Log } from '../runtime/log.ts';
import { addressOf } from './address.ts';
import type { OriginRule } from './origin.ts';
import { errorBody, unexpectedBody } from './reply.ts';
import type { WebSocketEndpoint } from './web-socket.ts';
import { GRAPHQL_PATH } from './yoga.ts';

interface UpgradePorts {
  readonly origins: OriginRule;
  readonly access: Access;
  readonly accept: WebSocketEndpoint['accept'];
  readonly log: Log;
}

const STATUS: Readonly<Record<string, string>> = {
  NOT_FOUND: '404 Not Found',
  FORBIDDEN_ORIGIN: '403 Forbidden',
  UNAUTHENTICATED: '401 Unauthorized',
  TOO_MANY_FAILURES: '429 Too Many Requests',
  ACCESS_UNAVAILABLE: '503 Service Unavailable',
};

/** Lets a WebSocket in, or says as HTTP why not. Who sends no header may say who he is in `connection_init`. */
export function upgrade(ports: UpgradePorts, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  const refuse = (code: string, message: string) => answer(code, errorBody(code, message));
  const answer = (code: string, body: string) => {
    // Whoever keeps his half open would keep a connection for ever, and the server from closing.
    socket.once('finish', () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${STATUS[code] ?? '500 Internal Server Error'}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  };
  const fail = (error: unknown) => {
    if (error instanceof AppError && error.code in STATUS) return refuse(error.code, error.message);
    const correlationId = newIncident();
    log.error('A WebSocket could not be let in', { correlationId, reason: messageOf(error) });
    answer('INTERNAL_SERVER_ERROR', unexpectedBody(correlationId));
  };
  const { origins, access, accept, log } = ports;
  if (request.url?.split('?', 1)[0] !== GRAPHQL_PATH)
    return refuse('NOT_FOUND', `WebSockets are served at ${GRAPHQL_PATH}`);
  const address = addressOf(request);
  const { authorization } = request.headers;
  try {
    origins.check(request);
    if (authorization === undefined) return accept(request, socket, head, { address, principal: null });
  } catch (error) {
    return fail(error);
  }
  access
    .identify(authorization, address)
    .then((principal) => accept(request, socket, head, { address, principal }), fail);
}
