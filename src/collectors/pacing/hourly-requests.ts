import type { Clock } from '../../runtime/clock.ts';

const HOUR_MS = 3_600_000;

/** The requests made on one socket within the last hour. */
export class HourlyRequests {
  readonly #clock: Clock;
  /** Monotonic ms. */
  #at: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(): void {
    this.#forget();
    this.#at.push(this.#clock.monotonic());
  }

  get count(): number {
    this.#forget();
    return this.#at.length;
  }

  #forget(): void {
    const anHourAgo = this.#clock.monotonic() - HOUR_MS;
    const recent = this.#at.findIndex((at) => at > anHourAgo);
    this.#at.splice(0, recent < 0 ? this.#at.length : recent);
  }
}
