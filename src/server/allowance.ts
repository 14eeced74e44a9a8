import type { Clock } from '../runtime/clock.ts';

/** What somebody may do so many times a second, and as often at once as in `burstSeconds` of them. */
export class Allowance {
  readonly #perMs: number;
  readonly #most: number;
  readonly #clock: Clock;
  #left: number;
  #at: number;

  constructor(perSecond: number, burstSeconds: number, clock: Clock) {
    this.#perMs = perSecond / 1_000;
    this.#most = perSecond * burstSeconds;
    this.#clock = clock;
    this.#left = this.#most;
    this.#at = clock.monotonic();
  }

  /** Whether once more is within it. */
  take(): boolean {
    const now = this.#clock.monotonic();
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
