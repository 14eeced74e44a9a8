import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { Secret } from '../../src/runtime/secret.ts';
import type { TracingSettings } from '../../src/runtime/tracing-settings.ts';
import { openTracing } from '../../src/telemetry/open-tracing.ts';

interface Own {
  readonly clock?: Clock;
  readonly log?: Log;
}

/** A tracer that sends every span as soon as it can. */
export const traceTo = (url: string, settings: Partial<TracingSettings> = {}, own: Own = {}) =>
  openTracing({
    settings: {
      ...{ url: new Secret(`${url}/v1/traces`), sampler: 'parentbased_always_on', ratio: 1, ignored: [] },
      ...{ queueSize: null, batchSize: 1, delayMs: 1, timeoutMs: null },
      ...settings,
    },
    clock: systemClock,
    log: silentLog,
    version: '1.2.3',
    ...own,
  });
