import type { Clock } from '../../runtime/clock.ts';

export interface RateLimitOptions {
  /** What flows in per `perMs`. */
  readonly amount: number;
  readonly perMs: number;
  /** What may be saved up while nobody asks; default `amount`. */
  readonly burst?: number;
}

/** Sums of fractions come out a little below what they should. */
const ROUNDING = 1e-6;

/**
 * A token bucket, first come first served. No stretch of `perMs`, wherever it begins, sees more than `amount` + `burst` (or the
 * dearest request, where that is more than `burst`): whoever must keep a limit chooses the two so that their sum is below it.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #amount: number;
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #countedAt: number;
  #blockedUntil = 0;
  #waiting = 0;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(clock: Clock, { amount, perMs, burst = amount }: RateLimitOptions) {
    this.#clock = clock;
    this.#amount = amount;
    this.#perMs = perMs;
    this.#burst = burst;
    this.#left = burst;
    this.#countedAt = clock.monotonic();
  }

  /** Whether nobody waits and at least half of what can be saved up is there. */
  get idle(): boolean {
    return this.#waiting === 0 && this.#waitFor(this.#burst / 2) <= 0;
  }

  /** Takes `cost` now and returns how many ms to wait before using it. For those who cannot wait here; never together with `take`. */
  reserve(cost = 1): number {
    const blocked = this.#blockedUntil - this.#clock.monotonic();
    this.#refill();
    this.#left -= Math.min(cost, this.#burst);
    return Math.max(this.#left >= 0 ? 0 : (-this.#left * this.#perMs) / this.#amount, blocked);
  }

  /** Nobody gets through for `ms` (Retry-After). */
  block(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#clock.monotonic() + ms);
  }

  /** Resolves when it is this caller's turn and `cost` was taken; rejects with the signal's reason, having taken nothing. */
  async take(cost = 1, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting === 0 && this.#waitFor(cost) <= 0) {
      this.#left -= cost;
      return;
    }
    const before = this.#lastTurn;
    const own = Promise.withResolvers<void>();
    this.#lastTurn = before.then(() => own.promise);
    this.#waiting += 1;
    try {
      await until(before, signal);
      for (let wait = this.#waitFor(cost); wait > 0; wait = this.#waitFor(cost)) await this.#clock.sleep(wait, signal);
      this.#left -= cost;
    } finally {
      this.#waiting -= 1;
      own.resolve();
    }
  }

  #waitFor(cost: number): number {
    const blocked = this.#blockedUntil - this.#clock.monotonic();
    if (blocked > 0) return blocked;
    this.#refill();
    const lacking = Math.min(cost, this.#burst) - this.#left;
    return lacking <= ROUNDING ? 0 : (lacking * this.#perMs) / this.#amount;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#countedAt) * this.#amount) / this.#perMs);
    this.#countedAt = now;
  }
}

/** Resolves with the promise, which never rejects, or rejects with the signal's reason before. */
function until(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
