import { AppError } from './errors.ts';

/** What a span says of what it covers: names and numbers, never a secret, a document or its variables. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** Something that takes time and is worth to be seen by itself. After its end it takes nothing more. */
export interface Span {
  /** In place of the name it was begun with. */
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** It went wrong; the first code counts. */
  fail(code: string): void;
  end(): void;
}

export interface SpanStart {
  /** Whether we are asked, ask somebody else, or neither. */
  readonly kind: 'server' | 'client' | 'internal';
  readonly attributes?: SpanAttributes;
  /** What it is a part of, as the header of https://www.w3.org/TR/trace-context/ says it; whatever else is there is ignored. */
  readonly traceparent?: unknown;
}

/** Spans since the start; a dropped one was ended and never reached anybody. */
export interface SpanCounts {
  readonly exported: number;
  readonly dropped: number;
}

/** Where spans come from. */
export interface Tracer {
  /** False: nobody would see a span, so nothing should be done for one. */
  readonly isOn: boolean;
  start(name: string, start: SpanStart): Span;
  /** Null while it is off. */
  counts(): SpanCounts | null;
}

const NO_SPAN: Span = { rename() {}, set() {}, fail() {}, end() {} };

/** For whoever wants no traces. */
export const untraced: Tracer = { isOn: false, start: () => NO_SPAN, counts: () => null };

/** What a span says of an error: what we call it, and nothing of its words. */
export const spanCodeOf = (thrown: unknown): string =>
  thrown instanceof AppError ? thrown.code : 'INTERNAL_SERVER_ERROR';

/** Work within a span; its failure is the span's. */
export async function traced<T>(
  tracer: Tracer,
  name: string,
  start: SpanStart,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.start(name, start);
  try {
    return await work(span);
  } catch (error) {
    span.fail(spanCodeOf(error));
    throw error;
  } finally {
    span.end();
  }
}
