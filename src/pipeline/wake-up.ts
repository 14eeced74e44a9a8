import type { Clock } from '../runtime/clock.ts';

/** Longest the event loop is held by one turn of waking. */
const TURN_MS = 5;
const MEMBERS_BETWEEN_LOOKS = 32;
/** What the woken do comes after the turn, and takes about ten times as long. */
const MEMBERS_A_TURN = 256;

/** Wakes all members after a publish: once however often it is asked, and no turn longer than 5 ms. */
export class WakeUp<T extends { wake(): void }> {
  readonly #members: ReadonlySet<T>;
  readonly #clock: Clock;
  #asked = false;
  #running = false;

  constructor(members: ReadonlySet<T>, clock: Clock) {
    this.#members = members;
    this.#clock = clock;
  }

  ask(): void {
    this.#asked = true;
    if (this.#running || this.#members.size === 0) return;
    this.#running = true;
    queueMicrotask(() => this.#round());
  }

  #round(): void {
    this.#asked = false;
    this.#turn(this.#members.values());
  }

  #turn(rest: SetIterator<T>): void {
    const until = this.#clock.monotonic() + TURN_MS;
    let woken = 0;
    for (let member = rest.next(); !member.done; member = rest.next()) {
      member.value.wake();
      woken += 1;
      if (woken % MEMBERS_BETWEEN_LOOKS !== 0) continue;
      if (woken < MEMBERS_A_TURN && this.#clock.monotonic() < until) continue;
      setImmediate(() => this.#turn(rest));
      return;
    }
    this.#running = false;
    if (this.#asked) this.ask();
  }
}
