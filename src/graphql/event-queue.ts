import { PullStream } from '../pipeline/pull-stream.ts';

/** What a reader takes out, and how many values went before it because the reader was too slow. */
export interface Queued<T> {
  readonly value: T;
  readonly missed: number;
}

/** Between a source that pushes and one reader. Holds at most `capacity` values: the oldest goes, and the next one taken counts it. */
export function queueEvents<T>(
  capacity: number,
  listen: (push: (value: T) => void) => Disposable,
): PullStream<Queued<T>> {
  const waiting: T[] = [];
  let missed = 0;
  const stream = new PullStream<Queued<T>>({
    pull: () => {
      const value = waiting.shift();
      if (value === undefined) return null;
      const queued = { value, missed };
      missed = 0;
      return queued;
    },
    close: () => subscription[Symbol.dispose](),
  });
  const subscription = listen((value) => {
    if (waiting.length === capacity) {
      waiting.shift();
      missed += 1;
    }
    waiting.push(value);
    stream.wake();
  });
  return stream;
}
