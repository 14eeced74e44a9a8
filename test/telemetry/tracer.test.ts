import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/runtime/errors.ts';
import type { LogFields } from '../../src/runtime/log.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { traced } from '../../src/runtime/tracing.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { portToComeBackTo } from '../support/port.ts';
import { type Collector, startCollector } from './collector.ts';
import { traceTo } from './tracing.ts';

const PARENT = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const parentOf = (flags: '00' | '01') => `00-${PARENT.trace}-${PARENT.span}-${flags}`;

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await collector[Symbol.asyncDispose]();
});

/** Keeps the warnings. */
function listening() {
  const warnings: { message: string; fields: LogFields | undefined }[] = [];
  return {
    warnings,
    log: { ...silentLog, warn: (message: string, fields?: LogFields) => warnings.push({ message, fields }) },
  };
}

const names = () => collector.spans.map(({ name }) => name);

describe('a span', () => {
  it('says what it is of, and whose, to the collector', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-key=abc%20def');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment=test');
    const tracer = await traceTo(collector.url);
    const span = tracer.start('first name', { kind: 'server', attributes: { rows: 3 } });
    span.rename('query Q');
    span.set({ type: 'query' });
    span.end();
    await tracer[Symbol.asyncDispose]();
    expect(collector.spans).toMatchObject([
      {
        ...{ name: 'query Q', kind: 2, attributes: { rows: 3, type: 'query' }, status: { code: 0 } },
        resource: { 'service.name': 'tcp-dashboard', 'service.version': '1.2.3', 'deployment.environment': 'test' },
      },
    ]);
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-key': 'abc def' } });
  });

  it('is named after the service the environment names', async () => {
    vi.stubEnv('OTEL_SERVICE_NAME', 'mine');
    const tracer = await traceTo(collector.url);
    tracer.start('one', { kind: 'internal' }).end();
    await tracer[Symbol.asyncDispose]();
    expect(collector.spans[0]?.resource).toMatchObject({ 'service.name': 'mine' });
  });

  it.each([
    ['is part of the trace it was told of', parentOf('01'), PARENT.trace],
    ['is the root of another for what is no traceparent', 'garbage', expect.not.stringContaining(PARENT.trace)],
    ['is the root of another for a list', [parentOf('01')], expect.not.stringContaining(PARENT.trace)],
  ])('%s', async (_what, traceparent, traceId) => {
    const tracer = await traceTo(collector.url);
    tracer.start('one', { kind: 'server', traceparent }).end();
    await tracer[Symbol.asyncDispose]();
    expect(collector.spans).toMatchObject([{ traceId }]);
  });

  it('tells the first code of what went wrong and no words', async () => {
    const tracer = await traceTo(collector.url);
    const failing = (error: Error) => traced(tracer, 'work', { kind: 'internal' }, () => Promise.reject(error));
    await expect(failing(new AppError('SPOOL_FULL', 'secret words'))).rejects.toThrow('secret words');
    await expect(failing(new Error('secret words'))).rejects.toThrow('secret words');
    const twice = tracer.start('twice', { kind: 'internal' });
    for (const code of ['A', 'B']) twice.fail(code);
    twice.end();
    await tracer[Symbol.asyncDispose]();
    expect(collector.spans.map(({ status }) => status)).toEqual([
      { code: 2, message: 'SPOOL_FULL' },
      { code: 2, message: 'INTERNAL_SERVER_ERROR' },
      { code: 2, message: 'A' },
    ]);
    expect(collector.requests.map(({ body }) => body).join()).not.toContain('words');
  });
});

describe('a sampler', () => {
  it.each([
    ['always_off', 1, []],
    ['always_on', 1, ['root', 'sampled', 'unsampled']],
    ['traceidratio', 0, []],
    ['parentbased_always_off', 1, ['sampled']],
    ['parentbased_traceidratio', 1, ['root', 'sampled']],
    ['parentbased_traceidratio', 0, ['sampled']],
    ['traceidratio', 1, ['root', 'sampled', 'unsampled']],
  ] as const)('%s with %d keeps its share', async (sampler, ratio, kept) => {
    const tracer = await traceTo(collector.url, { sampler, ratio });
    tracer.start('root', { kind: 'server' }).end();
    tracer.start('sampled', { kind: 'server', traceparent: parentOf('01') }).end();
    tracer.start('unsampled', { kind: 'server', traceparent: parentOf('00') }).end();
    await tracer[Symbol.asyncDispose]();
    expect(names().sort()).toEqual(kept);
  });
});

describe('a collector', () => {
  it('that is away costs spans, counted, and one line of the log', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '100');
    const { log, warnings } = listening();
    await using tracer = await traceTo(`http://127.0.0.1:${await portToComeBackTo()}`, {}, { log });
    for (let k = 0; k < 3; k++) tracer.start('lost', { kind: 'internal' }).end();
    await vi.waitFor(() => expect(tracer.counts()).toEqual({ exported: 0, dropped: 3 }), 5_000);
    expect(warnings).toMatchObject([{ fields: { reason: 'ECONNREFUSED' } }]);
  });

  it('that refuses is told of by its status, never by its words or our headers', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=very-secret-key');
    collector.status = 401;
    const { log, warnings } = listening();
    await using tracer = await traceTo(collector.url, {}, { log });
    tracer.start('refused', { kind: 'internal' }).end();
    await vi.waitFor(() => expect(tracer.counts()?.dropped).toBe(1), 5_000);
    expect(warnings).toMatchObject([{ fields: { reason: 'HTTP 401' } }]);
    expect(collector.requests[0]?.headers.authorization).toBe('very-secret-key');
    expect(JSON.stringify(warnings)).not.toContain('very-secret-key');
  });

  it('that never answers gets no more spans than may wait, and is waited for no longer than 1.5 s at the end', async () => {
    const clock = new ManualClock();
    const tracer = await traceTo(collector.url, { queueSize: 5, batchSize: 5, delayMs: 60_000 }, { clock });
    collector.status = null;
    const end = (spans: number) => {
      for (let k = 0; k < spans; k++) tracer.start('many', { kind: 'internal' }).end();
    };
    end(5); // a batch, which is under way from then on
    await vi.waitFor(() => expect(collector.requests).toHaveLength(1));
    end(12);
    expect(tracer.counts()).toEqual({ exported: 0, dropped: 7 });
    let isOver = false;
    const closing = tracer[Symbol.asyncDispose]().then(() => {
      isOver = true;
    });
    await clock.advance(1_499);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await vi.waitFor(() => expect(isOver).toBe(true)); // before the exporter itself gives up
    await closing;
  });
});
