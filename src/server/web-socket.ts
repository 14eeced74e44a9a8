import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { atMost } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type Caller, GraphqlSocket, type SocketPorts } from './graphql-socket.ts';
import { KeepAlive } from './keep-alive.ts';

/** A message comes in so many parts at most; clients send it in one. */
const MAX_FRAGMENTS = 64;
const GOING_AWAY = 1001;

interface WebSocketPorts extends SocketPorts {
  readonly log: Log;
}

export interface WebSocketEndpoint extends AsyncDisposable {
  /** Takes over a checked upgrade request of whoever its header names. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller): void;
  readonly sockets: number;
}

/** GraphQL over WebSocket (graphql-transport-ws), through the same pipeline as HTTP. */
export function webSocketEndpoint({ log, ...ports }: WebSocketPorts): WebSocketEndpoint {
  const { clock, limits, refusals } = ports;
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: limits.message_bytes,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
    handleProtocols,
  });

  const serve = (socket: WebSocket, stream: Socket, caller: Caller) => {
    socket.on('error', (error) => {
      if (isTooLarge(error)) refusals.count('message_bytes');
      log.debug('A client socket failed', { reason: messageOf(error) });
    });
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL)
      return socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
    const client = new GraphqlSocket(socket, stream, ports, caller);
    client.expectIntroduction();
    socket.on('error', () => client.end());
    socket.on('message', (data) => client.receive(String(data)));
    socket.on('ping', () => client.mindUnread());
    keepAlive.watch(socket, stream);
    socket.once('close', () => {
      keepAlive.forget(socket);
      client.close();
    });
  };

  const keepAlive = new KeepAlive(clock);
  return {
    get sockets() {
      return wss.clients.size;
    },
    accept: (request, socket, head, caller) =>
      wss.handleUpgrade(request, socket, head, (opened) => {
        serve(opened, request.socket, caller);
        log.debug('A client connected', { from: caller.address });
      }),
    async [Symbol.asyncDispose]() {
      keepAlive[Symbol.dispose]();
      const gone = [...wss.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of wss.clients) socket.close(GOING_AWAY, 'Server is going away');
      // A client that does not answer the close is cut; `ws` itself would wait 30 s for it.
      await atMost(clock, 1_000, Promise.all(gone));
      for (const socket of wss.clients) socket.terminate();
      wss.close();
    },
  };
}

/** `ws` closes it with 1009 by itself. */
const isTooLarge = (error: Error & { readonly code?: string }): boolean =>
  error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
