import type { Clock } from '../runtime/clock.ts';

/**
 * A token bucket: `amount` per `perMs`, first come first served. Who asks for more than is left waits its turn;
 * the bucket never goes over the limit in any window that starts full.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #amount: number;
  readonly #perMs: number;
  #left: number;
  #countedAt: number;
  #blockedUntil = 0;

  constructor(clock: Clock, limit: { readonly amount: number; readonly perMs: number }) {
    this.#clock = clock;
    this.#amount = limit.amount;
    this.#perMs = limit.perMs;
    this.#left = limit.amount;
    this.#countedAt = clock.monotonic();
  }

  /** Takes `cost` now and returns how many ms to wait before using it. A cost over the whole amount is clamped to it. */
  reserve(cost = 1): number {
    const now = this.#clock.monotonic();
    this.#left = Math.min(this.#amount, this.#left + ((now - this.#countedAt) * this.#amount) / this.#perMs);
    this.#countedAt = now;
    this.#left -= Math.min(cost, this.#amount);
    const refill = this.#left >= 0 ? 0 : (-this.#left * this.#perMs) / this.#amount;
    return Math.max(refill, this.#blockedUntil - now);
  }

  /** Nobody gets through for `ms` (Retry-After). */
  block(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#clock.monotonic() + ms);
  }

  async take(cost = 1, signal?: AbortSignal): Promise<void> {
    let wait = this.reserve(cost);
    while (wait > 0) {
      await this.#clock.sleep(wait, signal);
      wait = this.#blockedUntil - this.#clock.monotonic();
    }
  }
}
