import {
  type Context,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Span, SpanAttributes, SpanCounts, SpanStart, Tracer } from '../runtime/tracing.ts';
import { Delivery } from './delivery.ts';
import type { TracingOptions } from './open-tracing.ts';
import { samplerOf } from './sampler.ts';

const SERVICE = 'tcp-dashboard';
/** What a client calls its operation may be long. */
const MAX_TEXT = 200;
const QUEUE_SIZE = 2_048;
/** What is not sent by then when the server ends is lost. */
const LAST_SPANS_MS = 1_500;

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** Spans in batches to a collector. Headers, certificates, compression and timeout the exporter reads from its standard variables. */
export class OtlpTracer implements Tracer, AsyncDisposable {
  readonly isOn = true;
  readonly #options: TracingOptions;
  readonly #delivery: Delivery;
  readonly #provider: TracerProvider;
  readonly #tracer: OtelTracer;

  constructor(url: string, options: TracingOptions) {
    const { settings, clock, log, version } = options;
    this.#options = options;
    const { queueSize, batchSize, delayMs, timeoutMs } = settings;
    const capacity = queueSize ?? QUEUE_SIZE;
    this.#delivery = new Delivery(capacity, clock, log);
    const batching = new BatchSpanProcessor({
      exporter: this.#delivery.through(new OTLPTraceExporter({ url })),
      maxQueueSize: capacity,
      ...(batchSize !== null && { maxExportBatchSize: batchSize }),
      ...(delayMs !== null && { scheduledDelayMillis: delayMs }),
      ...(timeoutMs !== null && { exportTimeoutMillis: timeoutMs }),
    });
    this.#provider = new TracerProvider({
      resource: resourceOf(version),
      sampler: samplerOf(settings.sampler, settings.ratio),
      spanLimits: { attributeValueLengthLimit: MAX_TEXT },
      spanProcessors: [this.#delivery.before(batching)],
    });
    this.#tracer = this.#provider.getTracer(SERVICE, version);
  }

  start(name: string, { kind, attributes = {}, traceparent }: SpanStart): Span {
    return new OpenSpan(this.#tracer.startSpan(name, { kind: KINDS[kind], attributes }, parentOf(traceparent)));
  }

  counts(): SpanCounts {
    return this.#delivery.counts();
  }

  /** Sends what waits, for as long as there is patience. */
  async [Symbol.asyncDispose](): Promise<void> {
    const patience = new AbortController();
    const late = this.#options.clock.sleep(LAST_SPANS_MS, patience.signal);
    await Promise.race([this.#provider.shutdown(), late]).catch(() => {}); // `Delivery` has told
    patience.abort();
    await late.catch(() => {});
  }
}

/** The variables win over what we call ourselves. */
const resourceOf = (version: string) =>
  defaultResource()
    .merge(resourceFromAttributes({ 'service.name': SERVICE, 'service.version': version }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));

/** The part of a trace of somebody else; the root of a trace of our own for what nobody understands. */
function parentOf(traceparent: unknown): Context {
  const parent = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null;
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
}

class OpenSpan implements Span {
  readonly #span: OtelSpan;
  #hasFailed = false;

  constructor(span: OtelSpan) {
    this.#span = span;
  }

  rename(name: string): void {
    this.#span.updateName(name.slice(0, MAX_TEXT));
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(code: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#span.setAttribute('error.type', code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }

  end(): void {
    if (this.#span.isRecording()) this.#span.end();
  }
}
