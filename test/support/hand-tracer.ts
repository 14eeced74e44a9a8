import type { SpanAttributes, SpanStart, Tracer } from '../../src/runtime/tracing.ts';

export interface HandSpan {
  name: string;
  readonly start: SpanStart;
  attributes: SpanAttributes;
  readonly codes: string[];
  hasEnded: boolean;
}

/** A tracer that keeps its spans. */
export function handTracer(): { readonly tracer: Tracer; readonly spans: HandSpan[] } {
  const spans: HandSpan[] = [];
  const tracer: Tracer = {
    isOn: true,
    counts: () => null,
    start: (name, start) => {
      const span: HandSpan = { name, start, attributes: start.attributes ?? {}, codes: [], hasEnded: false };
      spans.push(span);
      return {
        rename: (other) => {
          span.name = other;
        },
        set: (attributes) => {
          span.attributes = { ...span.attributes, ...attributes };
        },
        fail: (code) => span.codes.push(code),
        end: () => {
          span.hasEnded = true;
        },
      };
    },
  };
  return { tracer, spans };
}
