import type { Clock } from '../runtime/clock.ts';

const LOOK_MS = 250;
/** Whoever asks now waits at least about as long. */
const TOO_LATE_MS = 500;

/** Whether everything waits: the loop comes round late, again and again. One late turn is forgotten within a second. */
export class Overload implements Disposable {
  readonly #clock: Clock;
  readonly #timer: Disposable;
  #at: number;
  #lateMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
    this.#timer = clock.every(LOOK_MS, () => {
      const now = clock.monotonic();
      this.#lateMs = (this.#lateMs + Math.max(0, now - this.#at - LOOK_MS)) / 2;
      this.#at = now;
    });
  }

  get isOverloaded(): boolean {
    return this.#lateMs > TOO_LATE_MS || this.#clock.monotonic() - this.#at > LOOK_MS + 2 * TOO_LATE_MS;
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
