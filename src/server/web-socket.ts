import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { GraphqlSocket } from './graphql-socket.ts';
import { KeepAlive } from './keep-alive.ts';
import type { OperationPorts } from './operation.ts';

/** A client message is a document and its variables; nobody needs more. */
const MAX_MESSAGE_BYTES = 256 * 1024;
const GOING_AWAY = 1001;

interface WebSocketPorts extends OperationPorts {
  readonly clock: Clock;
  readonly log: Log;
}

export interface WebSocketEndpoint extends AsyncDisposable {
  /** Takes over a checked upgrade request. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly sockets: number;
}

/** GraphQL over WebSocket (graphql-transport-ws), through the same pipeline as HTTP. */
export function webSocketEndpoint({ clock, log, ...ports }: WebSocketPorts): WebSocketEndpoint {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols,
  });

  const serve = (socket: WebSocket, stream: Socket) => {
    socket.on('error', (error) => log.debug('A client socket failed', { reason: messageOf(error) }));
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL)
      return socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
    const client = new GraphqlSocket(socket, stream, ports);
    client.expectIntroduction(clock);
    socket.on('message', (data) => client.receive(String(data)));
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
    accept: (request, socket, head) =>
      wss.handleUpgrade(request, socket, head, (opened) => {
        serve(opened, request.socket);
        log.debug('A client connected', { from: request.socket.remoteAddress });
      }),
    async [Symbol.asyncDispose]() {
      keepAlive[Symbol.dispose]();
      const gone = [...wss.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of wss.clients) socket.close(GOING_AWAY, 'Server is going away');
      // A client that does not answer the close is cut; `ws` itself would wait 30 s for it.
      const patience = new AbortController();
      await Promise.race([Promise.all(gone), clock.sleep(1_000, patience.signal).catch(() => {})]);
      patience.abort();
      for (const socket of wss.clients) socket.terminate();
      wss.close();
    },
  };
}
