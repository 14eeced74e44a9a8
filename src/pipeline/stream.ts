/** Told of each value. A promise: nothing more is pulled before it resolves. False, at once or late: that was the last one for now. */
export type Taker<T> = (value: T) => Taken | Promise<Taken>;
export type Taken = false | undefined;

/**
 * A subscriber's end of a feed. It is pulled: nothing is buffered for it beyond the feed's own bounds. `return()` settles a
 * waiting `next()` at once and frees the place; a failure ends the stream.
 */
export interface Stream<T> extends AsyncIterableIterator<T, undefined, undefined>, AsyncDisposable {
  next(): Promise<IteratorResult<T, undefined>>;
  /**
   * Instead of `next()`, without a promise for every value: hands over what comes until the end (true) or until `take` wants no more
   * (false). Rejects where `next()` would, and ends the stream with what `take` throws.
   */
  handTo(take: Taker<T>): Promise<boolean>;
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): Stream<T>;
}
