import type { Duplex } from 'node:stream';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, type Message, MessageType, parseMessage, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Clock } from '../runtime/clock.ts';
import { Operation, type OperationHost, type OperationPorts } from './operation.ts';
import { type Heading, sendResult } from './text-frames.ts';
import { withoutInternals } from './without-internals.ts';

const INIT_TIMEOUT_MS = 3_000;
const MAX_OPERATIONS = 100;
/** Above this the next value of a subscription is not taken from its feed until the client has read. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * One client that speaks graphql-transport-ws, as https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md says. The server
 * of graphql-ws keeps some thirty closures for an operation, and there are tens of thousands.
 */
export class GraphqlSocket implements OperationHost {
  readonly ports: OperationPorts;
  readonly #socket: WebSocket;
  /** What the socket writes to. */
  readonly #stream: Duplex;
  readonly #operations = new Map<string, Operation>();
  /** Operations that are prepared or run, also those the client does not want to hear of any more. */
  #running = 0;
  #isIntroduced = false;
  #patience: AbortController | null = null;

  constructor(socket: WebSocket, stream: Duplex, ports: OperationPorts) {
    this.#socket = socket;
    this.#stream = stream;
    this.ports = ports;
  }

  /** Whoever does not introduce himself in time has to go. */
  expectIntroduction(clock: Clock): void {
    this.#patience = new AbortController();
    clock.sleep(INIT_TIMEOUT_MS, this.#patience.signal).then(
      () => this.#socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'),
      () => {},
    );
  }

  #stopWaiting(): void {
    this.#patience?.abort();
    this.#patience = null;
  }

  /** A whole message of the client. Never throws. */
  receive(text: string): void {
    const message = read(text);
    switch (message?.type) {
      case MessageType.ConnectionInit:
        return this.#introduce();
      case MessageType.Ping:
        return this.#send({ type: MessageType.Pong, ...(message.payload ? { payload: message.payload } : {}) });
      case MessageType.Pong:
        return;
      case MessageType.Subscribe:
        return this.#subscribe(message.id, message.payload);
      case MessageType.Complete:
        return this.#complete(message.id);
      default:
        this.#socket.close(CloseCode.BadRequest, 'Invalid message received');
    }
  }

  #introduce(): void {
    if (this.#isIntroduced)
      return this.#socket.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
    this.#isIntroduced = true;
    this.#stopWaiting();
    this.#send({ type: MessageType.ConnectionAck });
  }

  #subscribe(id: string, payload: SubscribePayload): void {
    if (!this.#isIntroduced) return this.#socket.close(CloseCode.Unauthorized, 'Unauthorized');
    if (this.#operations.has(id))
      return this.#socket.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    if (this.#running >= MAX_OPERATIONS)
      return this.#send({ id, type: MessageType.Error, payload: [withoutInternals(tooMany())] });
    const operation = new Operation(id, this);
    this.#operations.set(id, operation);
    this.#running += 1; // at once, or a burst of messages would pass the check together
    void operation.run(payload);
  }

  #complete(id: string): void {
    const operation = this.#operations.get(id);
    this.#operations.delete(id);
    void operation?.stop();
  }

  /** The socket is gone. */
  close(): void {
    this.#stopWaiting();
    for (const id of [...this.#operations.keys()]) this.#complete(id);
  }

  ended(operation: Operation, last: Message): void {
    this.#running -= 1;
    if (this.#operations.get(operation.id) !== operation) return;
    this.#operations.delete(operation.id);
    this.#send(last);
  }

  send(message: Message): Promise<undefined> | undefined {
    this.#send(message);
    return this.#read();
  }

  sendResult(heading: Heading, result: ExecutionResult): Promise<undefined> | undefined {
    if (this.#socket.readyState !== this.#socket.OPEN) return undefined;
    sendResult(this.#socket, this.#stream, heading, result);
    return this.#read();
  }

  /** Nothing goes out on a socket that is closing: a stream that was cut must not look complete. */
  #send(message: Message): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Where much is unread, a promise that resolves when it was read, or the client is gone. */
  #read(): Promise<undefined> | undefined {
    const stream = this.#stream;
    if (stream.writableLength <= MAX_BUFFERED_BYTES) return undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve(undefined);
    };
    stream.on('drain', done).on('close', done);
    return promise;
  }
}

function read(text: string): Message | null {
  try {
    return parseMessage(text);
  } catch {
    return null;
  }
}

const tooMany = () =>
  new GraphQLError(
    `One socket carries at most ${MAX_OPERATIONS} operations at a time; end some or open another socket`,
    {
      extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' },
    },
  );
