/** What a process holds once everything that nobody needs is gone, bytes. */
export interface Held {
  readonly rss: number;
  /** Of the main thread. */
  readonly heap: number;
  /** Buffers outside of it. */
  readonly external: number;
}

/** Needs `--expose-gc`. Twice, as the first only lets go of what finalizers hold. */
export function held(): Held {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new Error('The process needs --expose-gc');
  gc();
  gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed, external };
}
