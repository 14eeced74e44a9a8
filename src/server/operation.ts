import type { ExecutionResult } from 'graphql';
import {
  type CompleteMessage,
  type ErrorMessage,
  MessageType,
  type NextMessage,
  type SubscribePayload,
} from 'graphql-ws';
import { isAsyncIterable } from 'graphql-yoga';
import type { Principal } from '../access/principal.ts';
import type { Services } from '../graphql/context.ts';
import type { ExposeError } from '../graphql/errors.ts';
import type { LiveResults, ResultReceiver } from '../graphql/execution/live-results.ts';
import type { Span, Tracer } from '../runtime/tracing.ts';
import { prepare, type Result } from './prepare.ts';
import { type Heading, headingOf } from './text-frames.ts';
import { failBy, spanOfOperation } from './traced.ts';
import { withoutInternals } from './without-internals.ts';
import type { Pipeline } from './yoga.ts';

/** What operations are run with. */
export interface OperationPorts {
  readonly pipeline: Pipeline;
  readonly services: Services;
  readonly expose: ExposeError;
  readonly tracer: Tracer;
}

/** The client an operation is for. A promise: it has to read before there is more. */
export interface OperationHost {
  readonly ports: OperationPorts;
  /** Whoever the client is. */
  readonly principal: Principal;
  /** Where it asks from. */
  readonly address: string;
  send(message: NextMessage | ErrorMessage | CompleteMessage): Promise<undefined> | undefined;
  /** As `send`, for results without errors. */
  sendResult(heading: Heading, result: ExecutionResult): Promise<undefined> | undefined;
  /** Once, however it ended. `last` is the last to be said of it, to a client that wants to hear of it. */
  ended(operation: Operation, last: ErrorMessage | CompleteMessage): void;
}

/** One operation of a client, from its `subscribe` to the last result. */
export class Operation implements ResultReceiver {
  readonly id: string;
  readonly #host: OperationHost;
  readonly #heading: Heading;
  #results: AsyncIterable<ExecutionResult> | null = null;
  #span: Span | null = null;
  #isStopped = false;

  constructor(id: string, host: OperationHost) {
    this.id = id;
    this.#host = host;
    this.#heading = headingOf(id);
  }

  /** Resolves when it is over, or goes on by itself. Never rejects. */
  async run(payload: SubscribePayload): Promise<void> {
    const { ports, principal, address } = this.#host;
    if (ports.tracer.isOn) this.#span = spanOfOperation(ports.tracer, payload);
    try {
      const own = { params: payload, principal, address, span: this.#span };
      const prepared = await prepare(payload, ports.pipeline, Object.assign(Object.create(ports.services), own));
      if ('errors' in prepared) return this.#end(this.#error(prepared.errors));
      const { args, run } = prepared;
      let live: LiveResults | null = null;
      args.contextValue.takeResults = (results) => {
        live = results;
      };
      const result = await run(args);
      args.contextValue.takeResults = undefined; // others may go on with this context
      await this.#hear(live ?? result);
    } catch (error) {
      this.ended({ error });
    }
  }

  async #hear(results: LiveResults | Result): Promise<void> {
    if (!isAsyncIterable(results)) {
      await this.take(results);
      return this.ended(null);
    }
    this.#results = results;
    if (this.#isStopped) await this.#leave();
    if ('handTo' in results) return results.handTo(this);
    for await (const result of results) await this.take(result);
    this.ended(null);
  }

  take(result: ExecutionResult): Promise<undefined> | undefined {
    if (this.#isStopped) return undefined;
    if (!result.errors) return this.#host.sendResult(this.#heading, result);
    const { errors, data, extensions } = result;
    return this.#host.send({
      id: this.id,
      type: MessageType.Next,
      payload: { errors: this.#shown(errors), data: data ?? null, ...(extensions ? { extensions } : {}) },
    });
  }

  ended(failure: { readonly error: unknown } | null): void {
    this.#results = null;
    const last = failure ? this.#error([failure.error]) : ({ id: this.id, type: MessageType.Complete } as const);
    this.#end(last);
  }

  #end(last: ErrorMessage | CompleteMessage): void {
    this.#span?.end();
    this.#host.ended(this, last);
  }

  /** The client does not want to hear of it any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#leave();
  }

  async #leave(): Promise<void> {
    await this.#results?.[Symbol.asyncIterator]().return?.();
  }

  #error(errors: readonly unknown[]): ErrorMessage {
    return { id: this.id, type: MessageType.Error, payload: this.#shown(errors) };
  }

  /** As the client gets them. */
  #shown(errors: readonly unknown[]) {
    const exposed = errors.map(this.#host.ports.expose);
    if (this.#span) failBy(this.#span, exposed);
    return exposed.map(withoutInternals);
  }
}
