import type { Clock } from '../../runtime/clock.ts';

/** Longest the event loop is held by one turn of waking. */
const TURN_MS = 5;
const MEMBERS_A_PIECE = 32;
/** What the woken do may come after the turn, and takes about ten times as long. */
const PIECES_A_TURN = 8;

/** Does a round of work after a publish: once however often it is asked, and no turn longer than 5 ms. */
export class WakeUp {
  readonly #round: () => Iterator<undefined>;
  readonly #clock: Clock;
  #asked = false;
  #running = false;

  /** `round`: all there is to do, in pieces of well under a millisecond. */
  constructor(round: () => Iterator<undefined>, clock: Clock) {
    this.#round = round;
    this.#clock = clock;
  }

  ask(): void {
    this.#asked = true;
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => {
      this.#asked = false;
      this.#turn(this.#round());
    });
  }

  #turn(rest: Iterator<undefined>): void {
    const until = this.#clock.monotonic() + TURN_MS;
    for (let pieces = 1; !rest.next().done; pieces += 1) {
      if (pieces < PIECES_A_TURN && this.#clock.monotonic() < until) continue;
      setImmediate(() => this.#turn(rest));
      return;
    }
    this.#running = false;
    if (this.#asked) this.ask();
  }
}

/** Wakes members, a few in each piece; who leaves on the way is not woken. */
export function* wakeEach(members: ReadonlySet<{ wake(): void }>): Generator<undefined, void, undefined> {
  let woken = 0;
  for (const member of members) {
    member.wake();
    woken += 1;
    if (woken % MEMBERS_A_PIECE === 0) yield;
  }
}
