import type { Clock } from '../../runtime/clock.ts';

/** Deadlines are met up to this much later, so that many of them share one wake-up. */
const ROUND_MS = 5;

/** One timer for the deadlines of many: each sleeper has at most one deadline, the earliest it asked for. */
export class Alarm implements Disposable {
  readonly #clock: Clock;
  readonly #deadlines = new Map<() => void, number>();
  #armedFor = Number.POSITIVE_INFINITY;
  #timer = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `wake` once, at monotonic time `at` or a little later. */
  wakeBy(at: number, wake: () => void): void {
    if (at >= (this.#deadlines.get(wake) ?? Number.POSITIVE_INFINITY)) return;
    this.#deadlines.set(wake, at);
    this.#arm(at);
  }

  cancel(wake: () => void): void {
    this.#deadlines.delete(wake);
    if (this.#deadlines.size === 0) this.#disarm();
  }

  [Symbol.dispose](): void {
    this.#deadlines.clear();
    this.#disarm();
  }

  #arm(at: number): void {
    const rounded = Math.ceil(at / ROUND_MS) * ROUND_MS;
    if (rounded >= this.#armedFor) return;
    this.#disarm();
    this.#timer = new AbortController();
    this.#armedFor = rounded;
    const { signal } = this.#timer;
    const wait = Math.max(0, rounded - this.#clock.monotonic());
    this.#clock.sleep(wait, signal).then(
      () => this.#ring(),
      () => {}, // disarmed: an earlier deadline came, or the alarm is gone
    );
  }

  #disarm(): void {
    this.#timer.abort();
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #ring(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    const due: (() => void)[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [wake, at] of this.#deadlines)
      if (at <= now) due.push(wake);
      else next = Math.min(next, at);
    for (const wake of due) this.#deadlines.delete(wake);
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const wake of due) wake();
  }
}
