/** `source` with every value changed. Leaving it leaves the source at once: `return()` is passed on while a `next()` still waits. */
export function mapStream<In, Out>(
  source: AsyncIterator<In>,
  change: (value: In) => Out,
): AsyncIterableIterator<Out, undefined, undefined> {
  const end = { value: undefined, done: true } as const;
  return {
    async next() {
      const step = await source.next();
      return step.done ? end : { value: change(step.value), done: false };
    },
    async return() {
      await source.return?.();
      return end;
    },
    async throw(reason) {
      await source.return?.();
      throw reason;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
