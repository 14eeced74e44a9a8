import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { SpanCounts } from '../runtime/tracing.ts';

/** A collector that is away is told of so often at most, ms. */
const TOLD_EVERY_MS = 60_000;
const SAMPLED = 1;

/** Counts what becomes of spans: a collector that is away costs those that do not fit in the queue, and a line of the log. */
export class Delivery {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #capacity: number;
  #waiting = 0;
  #exported = 0;
  #dropped = 0;
  #toldAt: number | null = null;
  #isAway = false;

  constructor(capacity: number, clock: Clock, log: Log) {
    this.#capacity = capacity;
    this.#clock = clock;
    this.#log = log;
  }

  counts(): SpanCounts {
    return { exported: this.#exported, dropped: this.#dropped };
  }

  /** Between the spans that end and whoever batches them: lets no more wait than fit. */
  before(batching: SpanProcessor): SpanProcessor {
    return {
      onStart: (span, parent) => batching.onStart(span, parent),
      onEnd: (span) => {
        if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
        if (this.#waiting >= this.#capacity) this.#dropped += 1;
        else {
          this.#waiting += 1;
          batching.onEnd(span);
        }
      },
      forceFlush: () => batching.forceFlush(),
      shutdown: () => batching.shutdown(),
    };
  }

  /** Between whoever batches spans and the collector. */
  through(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done: (result: ExportResult) => void) => {
        this.#waiting -= spans.length;
        exporter.export(spans, (result) => {
          if (result.code === ExportResultCode.SUCCESS) this.#arrived(spans.length);
          else this.#lost(spans.length, result.error);
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
    };
  }

  #arrived(spans: number): void {
    this.#exported += spans;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#log.debug('The collector of traces takes spans again', { ...this.counts() });
  }

  #lost(spans: number, error: unknown): void {
    this.#dropped += spans;
    this.#isAway = true;
    const now = this.#clock.monotonic();
    if (this.#toldAt !== null && now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = now;
    this.#log.warn('The collector of traces does not take spans; they are dropped', {
      reason: reasonOf(error),
      ...this.counts(),
    });
  }
}

/** The status of an answer, the code of a system call, else words. */
function reasonOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (typeof code === 'number') return `HTTP ${code}`;
  return typeof code === 'string' ? code : messageOf(error);
}
