import type { Clock } from '../runtime/clock.ts';
import { networkOf } from './network.ts';

const WINDOW_MS = 60_000;
/** Addresses remembered; above that the one that failed first is forgotten. */
const MAX_ADDRESSES = 10_000;

/** Counts failures by address, so that nobody goes on guessing. */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #windowMs: number;
  /** When each address failed, by the monotonic clock, the oldest first. */
  readonly #failures = new Map<string, number[]>();

  /** Lets an address fail `most` times within the window, a minute unless told otherwise. */
  constructor(clock: Clock, most: number, windowMs = WINDOW_MS) {
    this.#clock = clock;
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** How long an address has to wait, in ms; 0 when it may try. */
  waitOf(address: string): number {
    const oldest = this.#recent(networkOf(address)).at(-this.#most);
    return oldest === undefined ? 0 : oldest + this.#windowMs - this.#clock.monotonic();
  }

  /** Returns whether it was the last an address may have for now. */
  add(address: string): boolean {
    const network = networkOf(address);
    const times = [...this.#recent(network), this.#clock.monotonic()].slice(-this.#most);
    this.#failures.delete(network);
    this.#failures.set(network, times);
    const [first] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && first !== undefined) this.#failures.delete(first);
    return times.length === this.#most;
  }

  #recent(network: string): readonly number[] {
    const since = this.#clock.monotonic() - this.#windowMs;
    return (this.#failures.get(network) ?? []).filter((time) => time > since);
  }
}
