import { PullStream } from '../pipeline/stream/pull-stream.ts';
import { BoundedQueue, type QueueRegistry } from '../runtime/bounded-queue.ts';

/** What a reader takes out, and how many values were dropped before it because the reader was too slow. */
export interface Queued<T> {
  readonly value: T;
  readonly missed: number;
}

/** A client's own queue between something that pushes and its reader. Full: the oldest value goes, and the next one taken tells. */
export function queueEvents<T>(
  queue: { readonly name: string; readonly capacity: number; readonly registry: QueueRegistry },
  listen: (push: (value: T) => void) => Disposable,
): PullStream<Queued<T>> {
  const waiting = new BoundedQueue<T>({ ...queue, policy: 'drop-oldest' });
  let told = 0;
  const stream = new PullStream<Queued<T>>({
    pull: () => {
      const [value] = waiting.take(1);
      if (value === undefined) return null;
      const missed = waiting.dropped - told;
      told = waiting.dropped;
      return { value, missed };
    },
    close: () => {
      subscription[Symbol.dispose]();
      waiting[Symbol.dispose]();
    },
  });
  const subscription = listen((value) => {
    waiting.push(value);
    stream.wake();
  });
  return stream;
}
