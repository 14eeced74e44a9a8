import type { Clock, Random } from '../runtime/clock.ts';
import { backoffMs } from './backoff.ts';

/** Good data for this long makes the next break a first break again. */
const GOOD_DATA_MS = 30_000;

/** How often connecting failed, and how long to wait before the next attempt. */
export class Attempts {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #capMs: number;
  #failures = 0;
  #breaks = 0;
  #liveSince: number | null = null;

  constructor(clock: Clock, random: Random, capMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#capMs = capMs;
  }

  /** In a row, without an answer of the exchange. */
  get failures(): number {
    return this.#failures;
  }

  answered(): void {
    this.#failures = 0;
  }

  data(): void {
    if (this.#liveSince !== null) return;
    this.#liveSince = this.#clock.monotonic();
    this.#failures = 0;
  }

  failed(): void {
    if (this.#liveSince !== null && this.#clock.monotonic() - this.#liveSince > GOOD_DATA_MS) this.#breaks = 0;
    this.#liveSince = null;
    this.#failures += 1;
  }

  /** Jittered; grows with every break and starts anew after GOOD_DATA_MS of data, so an exchange that only greets us is not stormed. */
  nextWaitMs(): number {
    return backoffMs(this.#breaks++, this.#capMs, this.#random);
  }
}
