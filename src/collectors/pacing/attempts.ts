import type { Clock, Random } from '../../runtime/clock.ts';
import { backoffMs } from './backoff.ts';

export interface AttemptsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Cap of the wait between two attempts, while the exchange is not away for long. */
  readonly capMs: number;
  /** Attempts in a row without data; then they are used up. */
  readonly max: number;
}

/** Good data for this long makes the next break a first break again. */
const GOOD_DATA_MS = 30_000;
/** A socket that gave data for this long is worth coming back to soon: the wait grows no further than this many doublings. */
const USEFUL_MS = 1_500;
const USEFUL_DOUBLINGS = 3;
/** Behind an open breaker one attempt is made in this time. */
const BREAKER_MIN_MS = 30_000;
const BREAKER_MAX_MS = 60_000;
/** An exchange nobody reaches is away for this much longer to us at most, so that what was missed stays small. */
const LONGER_AWAY = 0.1;

/**
 * How often connecting failed, and how long to wait before the next attempt. The breaker opens when the exchange turns us
 * away by name (too many requests, ban), or takes our sockets and gives no data until the attempts are used up; data closes it.
 */
export class Attempts {
  readonly #options: AttemptsOptions;
  #failures = 0;
  #barren = 0;
  #barrenOpened = 0;
  #breaks = 0;
  #opened = false;
  #turnedAway = false;
  #answeredAt: number | null = null;
  #liveSince: number | null = null;
  #usefulMs = 0;
  #awaySince: number | null = null;
  /** Monotonic ms. */
  #notBefore = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** In a row, without an answer of the exchange. */
  get failures(): number {
    return this.#failures;
  }

  /** More attempts in a row than allowed ended without data. */
  get usedUp(): boolean {
    return this.#barren > this.#options.max;
  }

  /** How long the next attempt has to wait still, in ms. */
  get waitMs(): number {
    return Math.max(0, this.#notBefore - this.#options.clock.monotonic());
  }

  /** The exchange took the socket. */
  opened(): void {
    this.#opened = true;
  }

  answered(): void {
    this.#answeredAt ??= this.#options.clock.monotonic();
    this.#failures = 0;
  }

  data(): void {
    if (this.#liveSince !== null) return;
    this.#liveSince = this.#options.clock.monotonic();
    this.#awaySince = null;
    this.#startAnew();
  }

  /** Somebody wants it tried at once, with all attempts. */
  reset(): void {
    this.#startAnew();
    this.#awaySince = null;
    this.#breaks = 0;
    this.#notBefore = 0;
  }

  /** An attempt, or the socket that came of one, ended. `turnedAway`: the exchange said to keep away, for so many ms where it named them. */
  failed(turnedAway: { readonly forMs: number } | null = null): void {
    const now = this.#options.clock.monotonic();
    this.#usefulMs = now - (this.#liveSince ?? now);
    if (this.#usefulMs > GOOD_DATA_MS) this.#breaks = 0;
    // Acknowledged for long: the market was quiet.
    if (now - (this.#answeredAt ?? now) > GOOD_DATA_MS) this.#barren = this.#barrenOpened = 0;
    this.#awaySince = this.#opened ? null : (this.#awaySince ?? now);
    this.#failures += 1;
    this.#barren += 1;
    if (this.#opened) this.#barrenOpened += 1;
    this.#opened = false;
    this.#liveSince = null;
    this.#answeredAt = null;
    if (turnedAway) this.#turnedAway = true;
    this.#notBefore = now + Math.max(this.#nextWaitMs(), turnedAway?.forMs ?? 0);
  }

  #startAnew(): void {
    this.#failures = this.#barren = this.#barrenOpened = 0;
    this.#turnedAway = false;
  }

  /** Jittered; grows with every break and starts anew after GOOD_DATA_MS of data, so an exchange that only greets us is not stormed. */
  #nextWaitMs(): number {
    const { random, clock, capMs, max } = this.#options;
    const breaks = this.#breaks++;
    if (this.#barrenOpened > max || this.#turnedAway)
      return BREAKER_MIN_MS + random() * (BREAKER_MAX_MS - BREAKER_MIN_MS);
    const awayMs = this.#awaySince === null ? 0 : clock.monotonic() - this.#awaySince;
    const longest = Math.max(capMs, Math.min(awayMs * LONGER_AWAY, BREAKER_MAX_MS));
    return backoffMs(this.#usefulMs > USEFUL_MS ? Math.min(breaks, USEFUL_DOUBLINGS) : breaks, longest, random);
  }
}
