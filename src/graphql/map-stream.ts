import type { Stream, Taker } from '../pipeline/stream.ts';

/** A stream as a subscription's resolver returns it: its executor may have the values handed over. */
export interface MappedStream<T> extends AsyncIterableIterator<T, undefined, undefined>, Pick<Stream<T>, 'handTo'> {}

/** `source` with every value changed. Leaving it leaves the source at once: `return()` is passed on while a `next()` still waits. */
export function mapStream<In, Out>(
  source: Pick<Stream<In>, 'next' | 'return' | 'handTo'>,
  change: (value: In) => Out,
): MappedStream<Out> {
  const end = { value: undefined, done: true } as const;
  return {
    async next() {
      const step = await source.next();
      return step.done ? end : { value: change(step.value), done: false };
    },
    handTo: (take: Taker<Out>) => source.handTo((value) => take(change(value))),
    async return() {
      await source.return();
      return end;
    },
    async throw(reason) {
      await source.return();
      throw reason;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
