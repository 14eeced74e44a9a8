import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError, getOperationAST } from 'graphql';
import { handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ExposeError } from '../graphql/errors.ts';
import type { Deliver } from '../graphql/execution/execute.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { resultSender } from './text-frames.ts';
import { withoutInternals } from './without-internals.ts';
import type { Pipeline } from './yoga.ts';

/** A client message is a document and its variables; nobody needs more. */
const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_SUBSCRIPTIONS = 100;
const INIT_TIMEOUT_MS = 3_000;
const KEEP_ALIVE_MS = 15_000;
const PINGS_A_TURN = 256;
/** Above this the next value of a subscription is not taken from its feed until the client has read. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const GOING_AWAY = 1001;

interface Extra {
  readonly socket: WebSocket;
  /** What the socket writes to. */
  readonly stream: Duplex;
  /** Operations that are prepared or run; refused ones never count. */
  open: number;
}

export interface WebSocketEndpoint extends AsyncDisposable {
  /** Takes over a checked upgrade request. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly sockets: number;
}

/** GraphQL over WebSocket (graphql-transport-ws), through the same pipeline as HTTP. */
export function webSocketEndpoint({
  pipeline,
  expose,
  clock,
  log,
}: {
  readonly pipeline: Pipeline;
  readonly expose: ExposeError;
  readonly clock: Clock;
  readonly log: Log;
}): WebSocketEndpoint {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols,
  });

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    execute: (args) => (args.rootValue as Operation).execute(args),
    subscribe: (args) => (args.rootValue as Operation).subscribe(args),
    onSubscribe: async ({ extra }, id, payload) => {
      if (extra.open >= MAX_SUBSCRIPTIONS) return [tooMany()];
      extra.open += 1; // before anything is awaited, or a burst of frames would pass the check together
      const operation = await prepare(pipeline, payload, expose);
      if (Array.isArray(operation)) extra.open -= 1;
      else Object.assign(operation.contextValue, { deliver: deliverer(extra, id) });
      return operation;
    },
    onComplete: ({ extra }) => {
      extra.open -= 1;
    },
    onNext: (_ctx, _id, _payload, _args, { errors, data, extensions }) =>
      errors && { errors: errors.map(withoutInternals), data: data ?? null, ...(extensions ? { extensions } : {}) },
    onError: (_ctx, _id, _payload, errors) => errors.map(expose).map(withoutInternals),
  });

  wss.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    socket.on('error', (error) => log.debug('A client socket failed', { reason: messageOf(error) }));
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) =>
          socket.on('message', (data) => {
            handle(String(data)).catch((error) => {
              log.error('A client message failed inside', { reason: messageOf(error) });
              socket.close(1011, 'Unexpected error.');
            });
          }),
      },
      { socket, stream: request.socket, open: 0 },
    );
    socket.once('close', (code, reason) => void closed(code, String(reason)));
    keepAlive.watch(socket);
    log.debug('A client connected', { from: request.socket.remoteAddress });
  });

  const keepAlive = keepAliveOf(wss, clock);
  return {
    get sockets() {
      return wss.clients.size;
    },
    accept: (request, socket, head) =>
      wss.handleUpgrade(request, socket, head, (opened) => wss.emit('connection', opened, request)),
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

type Enveloped = ReturnType<Pipeline['getEnveloped']>;
type Operation = Pick<Enveloped, 'execute' | 'subscribe'>;

/** Parses and validates as over HTTP; what is wrong comes back as errors, as throwing would close the whole socket. */
async function prepare(pipeline: Pipeline, payload: SubscribePayload, expose: ExposeError) {
  const { schema, execute, subscribe, contextFactory, parse, validate } = pipeline.getEnveloped({ params: payload });
  try {
    const document = parse(payload.query);
    const errors: readonly GraphQLError[] = validate(schema, document);
    if (errors.length > 0) return errors.map(expose);
    if (!getOperationAST(document, payload.operationName)) return [unresolved()];
    return {
      ...{ schema, document, operationName: payload.operationName, variableValues: payload.variables },
      contextValue: await contextFactory(),
      rootValue: { execute, subscribe } satisfies Operation,
    };
  } catch (error) {
    return [expose(error)];
  }
}

/** As over HTTP. */
const unresolved = () =>
  new GraphQLError('Could not determine what operation to execute.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });

const tooMany = () =>
  new GraphQLError(
    `One socket carries at most ${MAX_SUBSCRIPTIONS} operations at a time; end some or open another socket`,
    {
      extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' },
    },
  );

/** Sends the plain results of an operation; resolves when the client has taken what waits, where that is much. */
function deliverer({ socket, stream }: Extra, id: string): Deliver {
  const sendResult = resultSender(socket, stream, id);
  return (result) => {
    if (socket.readyState !== socket.OPEN) return undefined;
    sendResult(result);
    return socket.bufferedAmount > MAX_BUFFERED_BYTES ? drained(stream) : undefined;
  };
}

/** The client has taken what was written, or is gone. */
function drained(stream: Duplex): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const done = () => {
    stream.off('drain', done).off('close', done);
    resolve(undefined);
  };
  stream.on('drain', done).on('close', done);
  return promise;
}

/** Nothing goes out on a socket that is closing: a stream that was cut must not look complete. Resolves at once while little is buffered, else when the client has taken this message. */
function send(socket: WebSocket, data: string): Promise<void> | undefined {
  if (socket.readyState !== socket.OPEN) return undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.send(data, () => resolve());
  return socket.bufferedAmount > MAX_BUFFERED_BYTES ? promise : undefined;
}

/** Cuts sockets whose client is gone: no pong, and nothing read either since the last look. Few at a time, so that nobody waits for it. */
function keepAliveOf(wss: WebSocketServer, clock: Clock) {
  const silent = new WeakMap<WebSocket, number>();
  const look = (sockets: readonly WebSocket[]): void => {
    for (const socket of sockets) {
      if (socket.readyState !== socket.OPEN) continue;
      const bufferedBefore = silent.get(socket);
      if (bufferedBefore !== undefined && socket.bufferedAmount >= bufferedBefore) {
        socket.terminate();
        continue;
      }
      silent.set(socket, socket.bufferedAmount);
      socket.ping();
    }
  };
  const timer = clock.every(KEEP_ALIVE_MS, () => {
    const all = [...wss.clients];
    const turn = (from: number) => {
      look(all.slice(from, from + PINGS_A_TURN));
      if (from + PINGS_A_TURN < all.length) setImmediate(turn, from + PINGS_A_TURN);
    };
    turn(0);
  });
  return {
    watch: (socket: WebSocket) => void socket.on('pong', () => silent.delete(socket)),
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}
