/** Whom the values of a stream are handed to. */
export interface Receiver<T> {
  /** A promise: nothing more is handed over before it resolves. What it throws ends the stream. */
  take(value: T): Promise<undefined> | undefined;
  /** Once, after the last value; null: nothing failed. */
  ended(failure: Failure | null): void;
}

export interface Failure {
  readonly error: unknown;
}

/**
 * A subscriber's end of a feed. It is pulled: nothing is buffered for it beyond the feed's own bounds. `return()` settles a
 * waiting `next()` at once and frees the place; a failure ends the stream.
 */
export interface Stream<T> extends AsyncIterableIterator<T, undefined, undefined>, AsyncDisposable {
  next(): Promise<IteratorResult<T, undefined>>;
  /** Instead of `next()`, without a promise for every value: hands over what comes until the end. */
  handTo(receiver: Receiver<T>): void;
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): Stream<T>;
}
