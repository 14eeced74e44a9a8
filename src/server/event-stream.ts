import type { ServerResponse } from 'node:http';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { FetchAPI } from 'graphql-yoga';
import { cursorOf } from '../graphql/resume.ts';
import type { Clock } from '../runtime/clock.ts';
import { withoutInternals } from './without-internals.ts';

/** Shows proxies and clients that the connection stands. */
const PING_MS = 12_000;
/** When an EventSource comes back after it was cut off, ms. */
const RETRY_MS = 1_000;

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
  'content-encoding': 'none',
};

export const isEventStream = (response: ServerResponse): boolean =>
  String(response.getHeader('content-type')).startsWith('text/event-stream');

interface EventStreamOptions {
  readonly results: AsyncIterable<ExecutionResult>;
  /** The cursor it starts at; null without one. */
  readonly start: string | null;
  readonly clock: Clock;
  /** Is told of every result with errors. */
  failed(errors: readonly GraphQLError[]): void;
}

/**
 * The results of a subscription as server-sent events, taken from it as the client reads. Each has its cursor for an id, and the
 * stream begins with the cursor it starts at, so that whoever comes back with the last id misses nothing.
 */
export function eventStream(
  { results, start, clock, failed }: EventStreamOptions,
  { Response, ReadableStream, TextEncoder }: FetchAPI,
): Response {
  const iterator = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let pings: Disposable | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      // Something has to be sent at once: some browsers wait for it before they say that the stream is open.
      const hello = `:\nretry: ${RETRY_MS}\n${start === null ? '' : `id: ${start}\n`}\n`;
      controller.enqueue(encoder.encode(hello));
      pings = clock.every(PING_MS, () => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(':\n\n'));
      });
    },
    pull: async (controller) => {
      try {
        const step = await iterator.next();
        if (step.value?.errors) failed(step.value.errors);
        if (!step.done) return controller.enqueue(encoder.encode(eventOf(step.value)));
        controller.enqueue(encoder.encode('event: complete\ndata:\n\n'));
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      pings?.[Symbol.dispose]();
    },
    cancel: async () => {
      pings?.[Symbol.dispose]();
      await iterator.return?.();
    },
  });
  return new Response(stream, { status: 200, headers: HEADERS });
}

function eventOf(result: ExecutionResult): string {
  const cursor = cursorOf(result);
  const { errors, ...rest } = result;
  const body = errors ? { ...rest, errors: errors.map(withoutInternals) } : rest;
  return `${cursor === null ? '' : `id: ${cursor}\n`}event: next\ndata: ${JSON.stringify(body)}\n\n`;
}
