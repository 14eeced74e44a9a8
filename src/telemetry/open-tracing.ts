import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type Tracer, untraced } from '../runtime/tracing.ts';
import type { TracingSettings } from '../runtime/tracing-settings.ts';

export interface TracingOptions {
  readonly settings: TracingSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

export type OpenTracer = Tracer & AsyncDisposable;

const NONE: OpenTracer = { ...untraced, [Symbol.asyncDispose]: async () => {} };

/**
 * What sends traces to a collector. Without settings it does nothing, and nothing is loaded for it. Never throws: whatever is wrong
 * with traces keeps nothing from starting.
 */
export async function openTracing({
  settings,
  ...rest
}: Omit<TracingOptions, 'settings'> & { readonly settings: TracingSettings | null }): Promise<OpenTracer> {
  if (settings === null) return NONE;
  const { log } = rest;
  for (const reason of settings.ignored) log.warn('A variable of OpenTelemetry is ignored', { reason });
  if (settings.url === null) return NONE;
  try {
    const { OtlpTracer } = await import('./otlp-tracer.ts');
    const tracer = new OtlpTracer(settings.url.reveal(), { settings, ...rest });
    log.info('Traces are sent', { sampler: settings.sampler });
    return tracer;
  } catch (error) {
    log.warn('No traces are sent', { reason: messageOf(error) });
    return NONE;
  }
}
