/** How much was spent in the running window of `perMs`; windows begin at multiples of it, as the exchanges' do. */
export class RateWindow {
  readonly #limit: number;
  readonly #perMs: number;
  #window = -1;
  used = 0;

  constructor(limit: number, perMs: number) {
    this.#limit = limit;
    this.#perMs = perMs;
  }

  /** Counts `weight`; false when that was too much. */
  spend(weight: number, now: number): boolean {
    const window = Math.floor(now / this.#perMs);
    if (window !== this.#window) [this.#window, this.used] = [window, 0];
    this.used += weight;
    return this.used <= this.#limit;
  }

  /** Whole seconds until the next window, at least 1. */
  retryAfterS(now: number): number {
    return Math.max(1, Math.ceil((this.#perMs - (now % this.#perMs)) / 1000));
  }
}
