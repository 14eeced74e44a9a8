import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = { readonly stringValue?: string; readonly intValue?: number | string };

interface OtlpAttribute {
  readonly key: string;
  readonly value: Value;
}

/** As OTLP says it in JSON. */
interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code: number; readonly message?: string };
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

type Attributes = Readonly<Record<string, string | number>>;

export interface SeenSpan extends Omit<OtlpSpan, 'attributes'> {
  readonly attributes: Attributes;
  /** Of who sent it. */
  readonly resource: Attributes;
}

export interface Collector extends AsyncDisposable {
  /** For all signals, e.g. "http://127.0.0.1:12345". */
  readonly url: string;
  readonly spans: SeenSpan[];
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** Connections there have been. */
  connections: number;
  /** Of its answers; null: it never answers. */
  status: number | null;
}

const flat = (attributes: readonly OtlpAttribute[]): Attributes =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));

/** Takes what an exporter of OTLP sends as JSON, on a free port. */
export async function startCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      collector.requests.push({ path: request.url ?? '', headers: request.headers, body });
      if (collector.status === null) return;
      if (collector.status === 200)
        for (const { resource, scopeSpans } of (JSON.parse(body) as OtlpRequest).resourceSpans)
          for (const { spans } of scopeSpans)
            for (const span of spans)
              collector.spans.push({
                ...span,
                attributes: flat(span.attributes),
                resource: flat(resource.attributes),
              });
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.on('connection', () => {
    collector.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: [],
    connections: 0,
    status: 200,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}
