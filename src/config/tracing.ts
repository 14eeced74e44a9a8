import { Secret } from '../runtime/secret.ts';
import { SAMPLERS, type TracingSettings } from '../runtime/tracing-settings.ts';
import type { Variables } from './overrides.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const ENDPOINT_OF_TRACES = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
/** Where a collector that has one address for everything takes traces. */
const TRACES_PATH = 'v1/traces';
const MAX_MS = 3_600_000;
const MAX_SPANS = 1_000_000;

/**
 * Null without a place to send traces to, or when they were switched off. These variables are often set for every program of a
 * machine: what we do not understand in them never keeps the server from starting.
 */
export function readTracing(variables: Variables): TracingSettings | null {
  if (isTrue(variables.read('OTEL_SDK_DISABLED')) || variables.read('OTEL_TRACES_EXPORTER') === 'none') return null;
  const [ofTraces, ofAll] = [ENDPOINT_OF_TRACES, ENDPOINT].map((name) => variables.read(name));
  if (ofTraces === undefined && ofAll === undefined) return null;
  const ignored: string[] = [];
  const number = (name: string, most: number) => {
    const text = variables.read(name)?.trim();
    const value = /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
    if (value >= 1 && value <= most) return value;
    if (text !== undefined) ignored.push(`${name}: should be a whole number from 1 to ${most}`);
    return null;
  };
  return {
    url:
      ofTraces === undefined ? urlOf(ENDPOINT, withPath(ofAll), ignored) : urlOf(ENDPOINT_OF_TRACES, ofTraces, ignored),
    ...samplingOf(variables, ignored),
    queueSize: number('OTEL_BSP_MAX_QUEUE_SIZE', MAX_SPANS),
    batchSize: number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', MAX_SPANS),
    delayMs: number('OTEL_BSP_SCHEDULE_DELAY', MAX_MS),
    timeoutMs: number('OTEL_BSP_EXPORT_TIMEOUT', MAX_MS),
    ignored,
  };
}

const isTrue = (text: string | undefined): boolean => text?.trim().toLowerCase() === 'true';

const withPath = (endpoint = ''): string => `${endpoint}${endpoint.endsWith('/') ? '' : '/'}${TRACES_PATH}`;

function urlOf(name: string, text: string, ignored: string[]): Secret | null {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return new Secret(text);
  ignored.push(`${name}: should be an address with http:// or https://; no traces are sent`);
  return null;
}

function samplingOf(variables: Variables, ignored: string[]): Pick<TracingSettings, 'sampler' | 'ratio'> {
  const [name, share] = ['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'].map((one) => variables.read(one)?.trim());
  const sampler = SAMPLERS.find((known) => known === name);
  if (name !== undefined && !sampler) ignored.push(`OTEL_TRACES_SAMPLER: should be one of ${SAMPLERS.join(', ')}`);
  const ratio = /^(0|1|[01]?\.\d{1,9})$/.test(share ?? '') ? Number(share) : Number.NaN;
  const isShare = ratio >= 0 && ratio <= 1;
  if (share !== undefined && !isShare) ignored.push('OTEL_TRACES_SAMPLER_ARG: should be a number from 0 to 1');
  return { sampler: sampler ?? 'parentbased_always_on', ratio: isShare ? ratio : 1 };
}

const HEADERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'];
/** A shorter value is no secret worth the words of a log it would hide. */
const SHORTEST_SECRET = 6;

/** The values of the headers a collector is sent, `name=value,name=value`: as written, as meant, and each word of them. */
export function collectorSecrets(variables: Variables): readonly Secret[] {
  const values = HEADERS.flatMap((name) => (variables.read(name) ?? '').split(',')).map((pair) =>
    pair.slice(pair.indexOf('=') + 1).trim(),
  );
  const meant = values.map(decoded);
  const words = [...values, ...meant].flatMap((value) => [value, ...value.split(' ')]);
  return [...new Set(words)].filter((word) => word.length >= SHORTEST_SECRET).map((word) => new Secret(word));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
