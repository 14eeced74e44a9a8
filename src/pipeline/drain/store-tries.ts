import { AppError, isRetryable, messageOf } from '../../runtime/errors.ts';
import type { DrainPorts, DrainStatus } from './drain-ports.ts';

/** What the log says of the rows that wait. */
interface TriesWords {
  /** When the database begins not to take them. */
  readonly waiting: string;
  whenWaiting(): Readonly<Record<string, unknown>>;
  whenStored(): Readonly<Record<string, unknown>>;
}

/** Longest wait between two tries, ms: short enough that a returning database drains within seconds. */
const MAX_BACKOFF_MS = 2_000;

/** How the database takes what it is given: how long it needs, since when it does not, and when to try again. */
export class StoreTries {
  readonly #ports: Pick<DrainPorts, 'clock' | 'random' | 'log'>;
  readonly #words: TriesWords;
  readonly #abandon = new AbortController();
  #stored = 0;
  #commitMs: DrainStatus['commitMs'] = null;
  #waitingSince: number | null = null;
  #lastError: DrainStatus['lastError'] = null;

  constructor(ports: Pick<DrainPorts, 'clock' | 'random' | 'log'>, words: TriesWords) {
    this.#ports = ports;
    this.#words = words;
  }

  status(): Pick<DrainStatus, 'stored' | 'commitMs' | 'waitingSince' | 'lastError'> {
    return {
      stored: this.#stored,
      commitMs: this.#commitMs,
      waitingSince: this.#waitingSince,
      lastError: this.#lastError,
    };
  }

  /** From now on nothing is tried again, and no wait goes on. */
  abandon(): void {
    this.#abandon.abort(new AppError('DATABASE_UNAVAILABLE', 'The deadline for storing the last rows has passed'));
  }

  get signal(): AbortSignal {
    return this.#abandon.signal;
  }

  get isAbandoned(): boolean {
    return this.#abandon.signal.aborted;
  }

  noteCommit(rows: number, ms: number): void {
    this.#stored += rows;
    this.#commitMs = { last: ms, average: this.#commitMs ? this.#commitMs.average * 0.9 + ms * 0.1 : ms };
    if (this.#waitingSince === null) return;
    const waitedMs = Math.round(this.#ports.clock.monotonic() - this.#waitingSince);
    this.#waitingSince = null;
    this.#ports.log.info('The database stores again', { waitedMs, ...this.#words.whenStored() });
  }

  noteError(error: unknown): void {
    this.#lastError = { message: messageOf(error), at: this.#ports.clock.now() };
  }

  /** Full jitter: 0 to min(2 s, 100 ms x 2^attempt). */
  async pause(error: unknown, attempt: number): Promise<void> {
    const { clock, random, log } = this.#ports;
    this.noteError(error);
    if (this.#waitingSince === null) {
      this.#waitingSince = clock.monotonic();
      log.warn(this.#words.waiting, { ...this.#words.whenWaiting(), error: messageOf(error) });
    }
    const wait = random() * Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(attempt, 10));
    await clock.sleep(wait, this.#abandon.signal).catch(() => {});
  }

  /** Asks the database until it answers. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await question();
      } catch (error) {
        if (!isRetryable(error) || this.isAbandoned) throw error;
        await this.pause(error, attempt);
      }
    }
  }
}
