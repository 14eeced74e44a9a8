/**
 * A subscriber's end of a feed. It is pulled: nothing is buffered for it beyond the feed's own bounds. `return()` settles a
 * waiting `next()` at once and frees the place; a failure ends the stream.
 */
export interface Stream<T> extends AsyncIterableIterator<T, undefined, undefined>, AsyncDisposable {
  next(): Promise<IteratorResult<T, undefined>>;
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): Stream<T>;
}
