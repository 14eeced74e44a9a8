/** The only source of time. Production passes `systemClock`; tests pass one they move by hand. */
export interface Clock {
  /** Wall time, ms since the Unix epoch. It may step backwards; never measure a duration with it. */
  now(): number;
  /** Monotonic time in ms from an arbitrary start; for durations and time-outs. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `work` every `ms` until disposed. A tick that comes while the last one runs is skipped by the caller, not here. */
  every(ms: number, work: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
  every: (ms, work) => {
    const timer = setInterval(work, ms);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};

/** Waits for something that is under way, for `ms` at most. Rejects as it does, when it does in time. */
export async function atMost(clock: Clock, ms: number, underWay: Promise<unknown>): Promise<void> {
  const inTime = new AbortController();
  try {
    await Promise.race([underWay, clock.sleep(ms, inTime.signal).catch(() => {})]);
  } finally {
    inTime.abort();
  }
}

/** Uniform in [0, 1); the only source of chance, so a test can seed it. */
export type Random = () => number;
