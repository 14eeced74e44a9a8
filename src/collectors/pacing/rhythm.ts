/** Gaps shorter than this count as one of this length in parts: a burst says little about how long a market may be silent. */
const BEAT_MS = 250;
/** Time constants of the two memories; the slower rhythm of the two counts. */
const SHORT_MS = 30_000;
const LONG_MS = 600_000;
/** With fewer beats than this nothing is known. */
const KNOWN_BEATS = 3;

/** Beats and the time they took, both fading with age. */
class Memory {
  readonly #fadeMs: number;
  #beats = 0;
  #ms = 0;

  constructor(fadeMs: number) {
    this.#fadeMs = fadeMs;
  }

  add(beats: number, ms: number): void {
    const kept = Math.exp(-ms / this.#fadeMs);
    const msLeft = this.#fadeMs * (1 - kept);
    this.#ms = this.#ms * kept + msLeft;
    this.#beats = this.#beats * kept + (beats * msLeft) / ms;
  }

  get meanGapMs(): number {
    return this.#ms / this.#beats;
  }
}

/**
 * How often something comes. Silence itself changes nothing until it has ended, and a burst little: what counts is the
 * slower of what the last half minute and the last ten minutes were like.
 */
export class Rhythm {
  readonly #short = new Memory(SHORT_MS);
  readonly #long = new Memory(LONG_MS);
  #lastAt: number | null = null;
  /** Not yet in the memories. */
  #newBeats = 0;
  #newMs = 0;
  #beats = 0;

  /** `now` in monotonic ms. */
  message(now: number): void {
    const gap = this.#lastAt === null ? 0 : now - this.#lastAt;
    this.#lastAt = now;
    this.#newMs += gap;
    this.#newBeats += Math.min(1, gap / BEAT_MS);
    if (this.#newMs >= BEAT_MS) this.#remember();
  }

  /** What comes next is no measure: it was asked for anew, or we did not listen. */
  pause(): void {
    this.#lastAt = null;
  }

  /** Usual time between two messages in ms, at least 250; null while too few came to tell. */
  get meanGapMs(): number | null {
    return this.#beats < KNOWN_BEATS ? null : Math.max(this.#short.meanGapMs, this.#long.meanGapMs);
  }

  #remember(): void {
    this.#beats += this.#newBeats;
    this.#short.add(this.#newBeats, this.#newMs);
    this.#long.add(this.#newBeats, this.#newMs);
    this.#newBeats = 0;
    this.#newMs = 0;
  }
}
