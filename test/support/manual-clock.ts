import type { Clock } from '../../src/runtime/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that moves only when a test moves it. Wall and monotonic time go together until the wall is stepped. */
export class ManualClock implements Clock {
  #elapsed = 0;
  #wallAtStart: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wallAtStart = wall;
  }

  now(): number {
    return this.#wallAtStart + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = { at: this.#elapsed + Math.max(0, ms), wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => this.#sleepers.delete(sleeper) && reject(signal.reason), { once: true });
    });
  }

  every(ms: number, work: () => void): Disposable {
    const stop = new AbortController();
    const tick = () => {
      const sleeper: Sleeper = {
        at: this.#elapsed + ms,
        wake: () => {
          tick();
          work();
        },
      };
      this.#sleepers.add(sleeper);
      stop.signal.addEventListener('abort', () => this.#sleepers.delete(sleeper), { once: true });
    };
    tick();
    return { [Symbol.dispose]: () => stop.abort() };
  }

  /** How many wait for time to pass. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** Wall time jumps; durations do not notice. */
  stepWall(ms: number): void {
    this.#wallAtStart += ms;
  }

  /** Passes time in which nothing runs; then everything that is due by now does. */
  async standStill(ms: number): Promise<void> {
    this.#elapsed += ms;
    await this.advance(0);
  }

  /** Passes time, sleeper by sleeper in order of their deadlines; what each one sets off runs before the next wakes. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await turn();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#sleepers.delete(next);
      next.wake();
      await turn();
    }
    this.#elapsed = until;
  }

  #next(until: number): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers) if (sleeper.at <= until && (!next || sleeper.at < next.at)) next = sleeper;
    return next;
  }
}

/** Everything that is ready to run has run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
