import type { Duplex } from 'node:stream';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, type Message, MessageType, parseMessage, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Access } from '../access/access.ts';
import { NOBODY, type Principal } from '../access/principal.ts';
import type { Clock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import type { Limits, Rule } from '../runtime/limits.ts';
import type { Refusals } from '../runtime/refusals.ts';
import { Allowance } from './allowance.ts';
import { type OpenOperations, tooMany } from './open-operations.ts';
import { Operation, type OperationHost, type OperationPorts } from './operation.ts';
import type { RefusedMutations } from './refused-mutations.ts';
import { type Heading, sendResult } from './text-frames.ts';
import { withoutInternals } from './without-internals.ts';

/** Operations are begun in bursts: when a page opens, when a client comes back. */
const BURST_SECONDS = 5;
/** Times the bytes at which subscriptions wait: whoever asks on and never reads has to go. */
const UNREAD_TIMES = 16;
/** For the close to be answered, before the connection is cut. */
const CLOSE_MS = 5_000;
/** The codes of graphql-transport-ws begin with 44; a client comes back after this one. */
const TOO_MANY_REQUESTS = 4290;

/** Where a client comes from, and what it said of itself when it came. */
export interface Caller {
  readonly address: string;
  /** Of the header; null without one. */
  readonly principal: Principal | null;
}

export interface SocketPorts extends OperationPorts {
  readonly access: Access;
  readonly refusedMutations: RefusedMutations;
  readonly open: OpenOperations;
  readonly limits: Limits;
  readonly refusals: Refusals;
  readonly clock: Clock;
}

/**
 * One client that speaks graphql-transport-ws, as https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md says. The server
 * of graphql-ws keeps some thirty closures for an operation, and there are tens of thousands.
 */
export class GraphqlSocket implements OperationHost {
  readonly ports: SocketPorts;
  readonly #allowance: Allowance;
  readonly #socket: WebSocket;
  /** What the socket writes to. */
  readonly #stream: Duplex;
  readonly #operations = new Map<string, Operation>();
  /** Operations that are prepared or run, also those the client does not want to hear of any more. */
  #running = 0;
  #caller: Caller;
  #isIntroduced = false;
  principal = NOBODY;
  /** While it may do what it does. */
  #held: Disposable | null = null;
  #patience: AbortController | null = null;

  constructor(socket: WebSocket, stream: Duplex, ports: SocketPorts, caller: Caller) {
    this.#caller = caller;
    this.#allowance = new Allowance(ports.limits.subscribes_per_second, BURST_SECONDS, ports.clock);
    this.#socket = socket;
    this.#stream = stream;
    this.ports = ports;
  }

  /** Whoever does not introduce himself in time has to go. */
  expectIntroduction(): void {
    this.#patience = new AbortController();
    const { clock, limits } = this.ports;
    clock.sleep(limits.init_seconds * 1_000, this.#patience.signal).then(
      () =>
        this.#refuse('init_seconds', CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'),
      () => {},
    );
  }

  /** Ends all at once, and says why to whoever still reads. */
  #refuse(rule: Rule, code: number, reason: string): void {
    this.ports.refusals.count(rule);
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.end();
  }

  /** The socket is closing: nothing goes on for it, and whoever does not answer the close is cut; `ws` would wait for 30 s. */
  end(): void {
    this.close();
    const cut = new AbortController();
    this.#socket.once('close', () => cut.abort());
    this.ports.clock.sleep(CLOSE_MS, cut.signal).then(
      () => this.#socket.terminate(),
      () => {},
    );
  }

  /** Answers pile up with a client that asks and does not read. */
  mindUnread(): void {
    if (this.#stream.writableLength <= this.ports.limits.unread_bytes * UNREAD_TIMES) return;
    this.ports.refusals.count('unread_bytes');
    this.#socket.terminate();
  }

  #stopWaiting(): void {
    this.#patience?.abort();
    this.#patience = null;
  }

  /** A whole message of the client. Never throws. */
  receive(text: string): void {
    this.mindUnread();
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const message = read(text);
    switch (message?.type) {
      case MessageType.ConnectionInit:
        return this.#introduce(message.payload);
      case MessageType.Ping:
        return this.#send({ type: MessageType.Pong, ...(message.payload ? { payload: message.payload } : {}) });
      case MessageType.Pong:
        return;
      case MessageType.Subscribe:
        return this.#subscribe(message.id, message.payload);
      case MessageType.Complete:
        return this.#complete(message.id);
      default:
        this.#end(CloseCode.BadRequest, 'Invalid message received');
    }
  }

  get address(): string {
    return this.#caller.address;
  }

  #introduce(payload: unknown): void {
    if (this.#isIntroduced)
      return this.#end(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
    this.#isIntroduced = true;
    this.#stopWaiting();
    const authorization = authorizationOf(payload);
    if (authorization === null) return this.#admit(this.#caller.principal ?? this.ports.access.anonymous);
    this.ports.access.identify(authorization, this.#caller.address).then(
      (principal) => this.#admit(principal),
      (error: unknown) => this.#end(CloseCode.Forbidden, error instanceof AppError ? error.code : 'Forbidden'),
    );
  }

  #admit(principal: Principal): void {
    const { access } = this.ports;
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (principal.roles.size === 0) {
      access.count('unauthenticated');
      return this.#end(CloseCode.Unauthorized, 'Unauthorized');
    }
    // He may have been turned away since he came.
    if (!access.isCurrent(principal)) return this.#end(CloseCode.Forbidden, 'Forbidden');
    this.principal = principal;
    this.#held = access.hold(principal, () => this.#end(CloseCode.Forbidden, 'Forbidden'));
    this.#send({ type: MessageType.ConnectionAck });
  }

  #subscribe(id: string, payload: SubscribePayload): void {
    if (this.#held === null) {
      this.ports.refusedMutations.noteUnread(payload, this);
      return this.#end(CloseCode.Unauthorized, 'Unauthorized');
    }
    if (this.#operations.has(id))
      return this.#end(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    const { limits, refusedMutations } = this.ports;
    if (!this.#allowance.take()) {
      refusedMutations.noteUnread(payload, this, 'subscribes_per_second');
      return this.#refuse(
        'subscribes_per_second',
        TOO_MANY_REQUESTS,
        `At most ${limits.subscribes_per_second} operations are begun a second; wait a little`,
      );
    }
    const refused = this.#enter();
    if (refused) {
      refusedMutations.noteUnread(payload, this, String(refused.extensions.code));
      return this.#send({ id, type: MessageType.Error, payload: [withoutInternals(refused)] });
    }
    const operation = new Operation(id, this);
    this.#operations.set(id, operation);
    void operation.run(payload);
  }

  /** At once, or a burst of messages would pass the check together. */
  #enter(): GraphQLError | null {
    const { limits, refusals, open } = this.ports;
    const most = limits.operations_per_socket;
    if (this.#running >= most) {
      refusals.count('operations_per_socket');
      return tooMany(`One socket carries at most ${most} operations at a time`);
    }
    const refused = open.enter(this);
    if (refused === null) this.#running += 1;
    return refused;
  }

  #complete(id: string): void {
    const operation = this.#operations.get(id);
    this.#operations.delete(id);
    void operation?.stop();
  }

  /** The socket is gone. */
  close(): void {
    this.#stopWaiting();
    this.#held?.[Symbol.dispose]();
    this.#held = null;
    for (const id of [...this.#operations.keys()]) this.#complete(id);
  }

  ended(operation: Operation, last: Message): void {
    this.#running -= 1;
    this.ports.open.leave(this);
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
    if (stream.writableLength <= this.ports.limits.unread_bytes) return undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve(undefined);
    };
    stream.on('drain', done).on('close', done);
    return promise;
  }
}

/** What `connection_init` carries; browsers cannot set a header on a WebSocket. Null when it carries none. */
function authorizationOf(payload: unknown): string | null {
  const { authorization, Authorization = authorization } = (payload ?? {}) as Readonly<Record<string, unknown>>;
  return Authorization == null ? null : String(Authorization);
}

function read(text: string): Message | null {
  try {
    return parseMessage(text);
  } catch {
    return null;
  }
}
