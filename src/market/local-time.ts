import { Temporal } from 'temporal-polyfill';

const DAY = 86_400_000;
/** Looked up at once, back from the time that was asked for: lists of candles may go either way. */
const BACK_MS = 400 * DAY;
const MAX_ZONES = 64;
const MAX_STRETCHES = 256;

/** While the clocks of a place go evenly: [from, until), ms. */
interface Stretch {
  readonly from: number;
  readonly until: number;
  /** Of the clocks there before UTC, ms. */
  readonly offset: number;
}

/**
 * The clocks of a place. Its local times are ms too, as a clock in UTC that shows the same: days and months can be worked out
 * from them by plain arithmetic, at a hundredth of what a calendar library takes.
 */
export class LocalTime {
  readonly #zone: string;
  #stretches: Stretch[] = [];
  #recent: Stretch = { from: 0, until: 0, offset: 0 };

  /** @throws {RangeError} for a place nobody knows. */
  constructor(zone: string) {
    this.#zone = zone;
    this.#recent = this.#lookUp(0);
  }

  /** What the clocks show at a time. */
  of(time: number): number {
    return time + this.#offsetAt(time);
  }

  /** When the clocks show it: the first time where they show it twice, as much later as they jump where they never do. */
  timeOf(local: number): number {
    const before = this.#offsetAt(local - DAY);
    const after = this.#offsetAt(local + DAY);
    if (this.#offsetAt(local - before) === before || this.#offsetAt(local - after) !== after) return local - before;
    return local - after;
  }

  #offsetAt(time: number): number {
    const isIn = ({ from, until }: Stretch) => from <= time && time < until;
    if (!isIn(this.#recent)) this.#recent = this.#stretches.find(isIn) ?? this.#lookUp(time);
    return this.#recent.offset;
  }

  #lookUp(time: number): Stretch {
    if (this.#stretches.length > MAX_STRETCHES) this.#stretches = [];
    const ends = this.#stretches.map(({ until }) => until).filter((until) => until <= time);
    const from = Math.max(time - BACK_MS, ...ends);
    let at = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(this.#zone);
    for (;;) {
      const next = at.getTimeZoneTransition('next');
      const until = next?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
      const stretch = { from: at.epochMilliseconds, until, offset: at.offsetNanoseconds / 1e6 };
      this.#stretches.push(stretch);
      if (next === null || until > time) return stretch;
      at = next;
    }
  }
}

const known = new Map<string, LocalTime>();

/** @throws {RangeError} for a place nobody knows. */
export function localTimeOf(zone: string): LocalTime {
  const found = known.get(zone) ?? new LocalTime(zone);
  known.delete(zone);
  known.set(zone, found); // the last one asked for goes last
  const [oldest] = known.keys();
  if (known.size > MAX_ZONES && oldest !== undefined) known.delete(oldest);
  return found;
}
