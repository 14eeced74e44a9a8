import { describe, expect, it } from 'vitest';
import { load } from './load.ts';

const HERE = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const tracingOf = (env: Readonly<Record<string, string>>) => load({ env }).tracing;

describe('traces', () => {
  it.each([
    ['without a variable', {}],
    ['with an empty one', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['with only a name', { OTEL_SERVICE_NAME: 'mine', OTEL_TRACES_SAMPLER: 'always_on' }],
    ['when the SDK is disabled', { ...HERE, OTEL_SDK_DISABLED: 'True' }],
    ['when there is no exporter of traces', { ...HERE, OTEL_TRACES_EXPORTER: 'none' }],
  ])('are off %s', (_when, env) => {
    expect(tracingOf(env)).toBeNull();
  });

  it.each([
    ['http://127.0.0.1:4318', 'http://127.0.0.1:4318/v1/traces'],
    ['https://collector.example/otlp/', 'https://collector.example/otlp/v1/traces'],
  ])('go to a path of the endpoint %s', (endpoint, url) => {
    expect(tracingOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })?.url?.reveal()).toBe(url);
  });

  it('go to the endpoint of traces as it is, where there is one', () => {
    const tracing = tracingOf({ ...HERE, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/traces' });
    expect(tracing?.url?.reveal()).toBe('http://127.0.0.1:9/traces');
  });

  it('are all kept, in batches of the standard, unless told otherwise', () => {
    expect(tracingOf(HERE)).toMatchObject({
      ...{ sampler: 'parentbased_always_on', ratio: 1, ignored: [] },
      ...{ queueSize: null, batchSize: null, delayMs: null, timeoutMs: null },
    });
    const env = {
      ...{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25', OTEL_BSP_MAX_QUEUE_SIZE: '100' },
      ...{ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10', OTEL_BSP_SCHEDULE_DELAY: '200', OTEL_BSP_EXPORT_TIMEOUT: '300' },
    };
    expect(tracingOf({ ...HERE, ...env })).toMatchObject({
      ...{ sampler: 'traceidratio', ratio: 0.25, ignored: [] },
      ...{ queueSize: 100, batchSize: 10, delayMs: 200, timeoutMs: 300 },
    });
  });

  it.each([
    ['OTEL_TRACES_SAMPLER', 'xray'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '-1'],
    ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'nowhere'],
  ])('keep nothing from starting: a wrong %s is named and ignored', (name, text) => {
    const tracing = tracingOf({ ...HERE, [name]: text });
    expect(tracing).toMatchObject({ sampler: 'parentbased_always_on', ratio: 1, queueSize: null, delayMs: null });
    expect(tracing?.ignored).toEqual([expect.stringContaining(name)]);
    expect(tracing?.ignored.join()).not.toContain(text);
  });

  it('hide what their headers hold: as written, as meant, and each word', () => {
    const { secrets } = load({
      env: { ...HERE, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc-def-ghi,x=1' },
    });
    expect(secrets.map((secret) => secret.reveal())).toEqual([
      ...['Bearer%20abc-def-ghi', 'Bearer abc-def-ghi', 'Bearer', 'abc-def-ghi'],
    ]);
  });
});
