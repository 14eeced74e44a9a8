/** What a client that comes back says outside its document, and is told there: an EventSource repeats its address and adds a header. */
export interface Resume {
  /** Of the last event it got; null for a new one. */
  readonly lastEventId: string | null;
  /** Where the subscription begins: good to come back with before the first event. */
  startsAt(cursor: string): void;
}

/** The event of a subscription that knows where a client goes on after it. */
export interface Resumable {
  resumeCursor(): string;
}

/** Of a result: what it was made of. A symbol, so that no answer shows it and a copy keeps it. */
const SOURCE = Symbol('what a result was made of');

const isResumable = (event: unknown): event is Resumable =>
  typeof event === 'object' && event !== null && typeof (event as Partial<Resumable>).resumeCursor === 'function';

/** Lets the transport find the cursor of a result, whether or not the document asks for it. */
export function rememberSource<Result extends object>(result: Result, event: unknown): Result {
  if (isResumable(event)) (result as { [SOURCE]?: Resumable })[SOURCE] = event;
  return result;
}

/** Where a client goes on after this result; null for a result of something that cannot be resumed. */
export const cursorOf = (result: object): string | null =>
  (result as { readonly [SOURCE]?: Resumable })[SOURCE]?.resumeCursor() ?? null;

/** Where a subscription goes on. A client that comes back was further than its document says. */
export const resumeAfter = (
  after: string | null | undefined,
  { resume }: { readonly resume?: Resume | null },
): string | null => (resume?.lastEventId || after) ?? null;
