import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DocumentNode, type GraphQLError, getOperationAST, Kind } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Span, Tracer } from '../runtime/tracing.ts';
import { isEventStream } from './event-stream.ts';
import { whenClosed } from './when-closed.ts';

/** Until its document was understood. */
const UNNAMED = 'GraphQL operation';
const TRANSPORT = 'tcp_dashboard.transport';

/** In the context of an operation that is traced. */
interface Traced {
  readonly span?: Span | null;
  readonly params?: { readonly operationName?: string | null };
}

/** The span of a request, from here until its last byte is sent or its client is gone. */
export function spanOfRequest(tracer: Tracer, { headers }: IncomingMessage, response: ServerResponse): Span {
  const span = tracer.start(UNNAMED, { kind: 'server', traceparent: headers.traceparent });
  whenClosed(response, () => {
    const transport = isEventStream(response) ? 'sse' : 'http';
    span.set({ [TRANSPORT]: transport, 'http.response.status_code': response.statusCode });
    if (response.statusCode >= 500) span.fail('INTERNAL_SERVER_ERROR');
    span.end();
  });
  return span;
}

/** The span of an operation of a WebSocket. Browsers can set no header there, so what it is a part of is in its extensions. */
export const spanOfOperation = (tracer: Tracer, { extensions }: SubscribePayload): Span =>
  tracer.start(UNNAMED, {
    kind: 'server',
    traceparent: extensions?.traceparent,
    attributes: { [TRANSPORT]: 'websocket' },
  });

/** Gives the spans their names, and over HTTP their errors. */
export const traced: Plugin = {
  onParse: ({ context }) => {
    const { span, params } = context as Traced;
    if (!span) return;
    return ({ result }) => {
      if (result instanceof Error || result === null) return;
      describe(span, result as DocumentNode, params?.operationName);
    };
  },
  onResultProcess: ({ result, serverContext }) => {
    const { span } = serverContext as Traced;
    if (!span || isAsyncIterable(result)) return;
    for (const { errors } of [result].flat()) failBy(span, errors);
  },
};

function describe(span: Span, document: DocumentNode, asked: string | null | undefined): void {
  const operation = getOperationAST(document, asked);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return;
  const { operation: type, name } = operation;
  span.rename(name ? `${type} ${name.value}` : type);
  span.set({ 'graphql.operation.type': type, ...(name && { 'graphql.operation.name': name.value }) });
}

/** By the errors as the client gets them. */
export function failBy(span: Span, errors: readonly GraphQLError[] | undefined): void {
  const [first] = errors ?? [];
  if (first) span.fail(String(first.extensions?.code ?? 'INTERNAL_SERVER_ERROR'));
}
