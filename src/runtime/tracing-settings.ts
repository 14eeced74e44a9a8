import type { Secret } from './secret.ts';

/** As OTEL_TRACES_SAMPLER names them. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** Where traces go and how many: what the standard variables of OpenTelemetry say. A null number means the standard's default. */
export interface TracingSettings {
  /** Takes OTLP over HTTP, e.g. "http://127.0.0.1:4318/v1/traces"; it may carry a password. Null when it makes no sense. */
  readonly url: Secret | null;
  readonly sampler: SamplerName;
  /** Share of the traces that are kept, 0 to 1; for samplers that take one. */
  readonly ratio: number;
  /** Spans that may wait. */
  readonly queueSize: number | null;
  /** Spans of one request. */
  readonly batchSize: number | null;
  /** Between two requests, ms. */
  readonly delayMs: number | null;
  /** For one request and its repetitions, ms. */
  readonly timeoutMs: number | null;
  /** What was said wrongly and so counts as not said. */
  readonly ignored: readonly string[];
}
