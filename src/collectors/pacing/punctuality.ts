import type { Clock } from '../../runtime/clock.ts';

/** A timer this many ms late was held up by ourselves; what the other side sent meanwhile is still unread. */
const LATE_MS = 500;

/** Tells our own standstill from the silence of others, by how late a regular tick comes. */
export class Punctuality {
  readonly #clock: Clock;
  readonly #everyMs: number;
  #lastAt: number | null = null;

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** To be called on every tick: by how many ms it is too late, 0 when it is punctual. */
  tick(): number {
    const now = this.#clock.monotonic();
    const late = this.#lastAt === null ? 0 : now - this.#lastAt - this.#everyMs;
    this.#lastAt = now;
    return late > LATE_MS ? late : 0;
  }
}
