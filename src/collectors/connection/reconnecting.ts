import type { ConnectionConfig, Endpoint } from '../../exchanges/adapter.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Attempts } from '../pacing/attempts.ts';
import type { RateLimit } from '../pacing/rate-limit.ts';
import type { ConnectionState } from './carried-channels.ts';
import type { LinkEnd } from './link-handlers.ts';

export interface ReconnectingOptions {
  readonly connection: ConnectionConfig;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connects: RateLimit;
}

/** What a connection is after a socket was lost, in words that say what happens next. */
export interface Outcome {
  readonly state: ConnectionState;
  readonly message: string;
}

/** A wait longer than this is told as a time of day: it is read much later. */
const TOLD_AS_TIME_MS = 10_000;

/** When and how a connection comes back: its attempts, their waits, and what is said about them. */
export class Reconnecting {
  readonly attempts: Attempts;
  readonly #options: ReconnectingOptions;
  #lastEnd = '';

  constructor(options: ReconnectingOptions) {
    const { clock, random, connection } = options;
    const { reconnect_delay, max_reconnect_attempts: max } = connection;
    this.#options = options;
    this.attempts = new Attempts({ clock, random, capMs: reconnect_delay * 1_000, max });
  }

  /** Resolves when it is time for the next attempt, within the exchange's limit of new sockets; false when aborted before. */
  async turn(signal: AbortSignal): Promise<boolean> {
    const { clock, connects } = this.#options;
    try {
      await clock.sleep(this.attempts.waitMs, signal);
      await connects.take(1, signal);
    } catch {
      return false;
    }
    return !signal.aborted;
  }

  lost(end: LinkEnd): Outcome {
    const { connection, endpoint, log } = this.#options;
    this.attempts.failed(end.turnedAway);
    this.#lastEnd = end.message;
    if (!end.retry || this.attempts.usedUp) {
      const gaveUp = `gave up after ${connection.max_reconnect_attempts} attempts: ${end.message}`;
      const reason = end.retry ? `${gaveUp}; a restart makes the ${this.#nextAttempt}` : end.message;
      log.error('Connection failed', { endpoint, reason });
      return { state: end.retry ? 'failed' : 'refused', message: reason };
    }
    const waitMs = Math.round(this.attempts.waitMs);
    log.warn('Connection lost', { endpoint, reason: end.message, attempt: this.attempts.failures, waitMs });
    return { state: 'reconnecting', message: `${end.message}; ${this.#nextAttempt}` };
  }

  /** Another attempt after it was given up. */
  revived(): Outcome {
    const after = this.#lastEnd === '' ? '' : ` after: ${this.#lastEnd}`;
    return { state: 'reconnecting', message: `trying again${after}; ${this.#nextAttempt}` };
  }

  get #nextAttempt(): string {
    const { waitMs } = this.attempts;
    if (waitMs < TOLD_AS_TIME_MS) return `next attempt in ${(waitMs / 1_000).toFixed(1)} s`;
    return `next attempt at ${new Date(this.#options.clock.now() + waitMs).toISOString().slice(11, 19)} UTC`;
  }
}
