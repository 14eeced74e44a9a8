import { AppError } from '../../runtime/errors.ts';

/** What happens when a client is slower than the market; docs/data-semantics.md says exactly what is counted. */
export type DeliveryMode = 'LOSSLESS' | 'CONFLATE' | 'DROP_OLDEST';

/** How a subscriber wants its payloads. */
export interface Delivery {
  readonly mode: DeliveryMode;
  /** A value waits at most this long for others to share its payload; 0 sends at once, 10,000 is the most. */
  readonly maxBatchMs: number;
  /** Payloads a second, evenly spaced, 1 to 1,000; null = no limit. */
  readonly maxPerSecond: number | null;
}

export const DEFAULT_DELIVERY: Delivery = { mode: 'LOSSLESS', maxBatchMs: 0, maxPerSecond: null };

/** When the payloads of one subscriber may and must leave. All times are monotonic ms. */
export class Pace {
  /** When the last payload left; at first when the subscription began. */
  lastSent: number;
  readonly #maxBatchMs: number;
  readonly #spacingMs: number;
  #earliest: number;
  #firstSeen: number | null = null;

  /** @throws {AppError} BAD_USER_INPUT for figures out of range. */
  constructor({ maxBatchMs, maxPerSecond }: Delivery, now: number) {
    if (!(Number.isInteger(maxBatchMs) && maxBatchMs >= 0 && maxBatchMs <= 10_000))
      throw new AppError('BAD_USER_INPUT', `delivery.maxBatchMs is a whole number from 0 to 10000, was ${maxBatchMs}`);
    if (maxPerSecond !== null && !(Number.isInteger(maxPerSecond) && maxPerSecond >= 1 && maxPerSecond <= 1_000))
      throw new AppError(
        'BAD_USER_INPUT',
        `delivery.maxPerSecond is a whole number from 1 to 1000, was ${maxPerSecond}`,
      );
    this.#maxBatchMs = maxBatchMs;
    this.#spacingMs = maxPerSecond === null ? 0 : 1_000 / maxPerSecond;
    this.lastSent = now;
    this.#earliest = now;
  }

  /** No payload before this. */
  get earliest(): number {
    return this.#earliest;
  }

  /** When values that are here by `now` have waited long enough for company. */
  companyUntil(now: number): number {
    this.#firstSeen ??= now;
    return this.#firstSeen + this.#maxBatchMs;
  }

  sent(now: number): void {
    this.lastSent = now;
    this.#firstSeen = null;
    this.#earliest = now + this.#spacingMs;
  }
}
