import type { Endpoint } from '../../exchanges/adapter.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Gate } from '../../runtime/gate.ts';
import type { Log } from '../../runtime/log.ts';
import type { RateLimit } from '../pacing/rate-limit.ts';
import type { Link } from './link.ts';
import type { DataFrame } from './link-handlers.ts';
import { Overlap } from './overlap.ts';

export interface HandoverOptions {
  readonly endpoint: Endpoint;
  readonly reason: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly gate: Gate;
  readonly connects: RateLimit;
  /** Opens a socket that asks for everything. */
  readonly open: () => Link;
  /** The next socket is not wanted any more. */
  readonly close: (next: Link) => void;
}

/** The next socket has this long to be open and to have every channel answered; then another one is tried. */
const READY_MS = 20_000;
/** Wait after a socket that ended early, counted from its opening. */
const RETRY_MS = 10_000;
/** Both sockets are read for at least this long, so that what is under way on the old one is not lost ... */
const MIN_OVERLAP_MS = 1_000;
/** ... and for at most this long: the old one may be about to end. */
const MAX_OVERLAP_MS = 8_000;

/** Opens the next socket while the old one still delivers, again and again, until one is proven by what both deliver. */
export class Handover implements Disposable {
  readonly #options: HandoverOptions;
  readonly #disposing = new AbortController();
  #next: Link | null = null;
  #overlap = new Overlap();
  #openedAt = 0;
  /** When every channel was answered, or reading began again after that; monotonic ms. */
  #settledAt: number | null = null;

  constructor(options: HandoverOptions) {
    this.#options = options;
    options.log.info('Replacing a socket', { endpoint: options.endpoint, reason: options.reason });
    void this.#open();
  }

  get next(): Link | null {
    return this.#next;
  }

  data(link: Link, frame: DataFrame): void {
    if (!this.#next?.ready) return;
    if (link === this.#next) this.#overlap.next(frame);
    else if (!this.#next.awaits(frame.channel)) this.#overlap.old(frame);
  }

  /** Reading begins again: what waited meanwhile has to be read from both. */
  resumed(): void {
    if (this.#settledAt !== null) this.#settledAt = this.#options.clock.monotonic();
    this.#openedAt = this.#options.clock.monotonic();
  }

  /** The next socket is over; another one is opened in a while. */
  nextEnded(reason: string): void {
    this.#options.log.warn('The next socket ended early', { endpoint: this.#options.endpoint, reason });
    this.#next = null;
  }

  /** To be called about once a second: the next socket as soon as it is proven. */
  tick(): Link | null {
    const { clock, log, endpoint } = this.#options;
    const now = clock.monotonic();
    const next = this.#next;
    if (!next) {
      if (this.#openedAt > 0 && now - this.#openedAt >= RETRY_MS) void this.#open();
      return null;
    }
    if (next.settled) this.#settledAt ??= now;
    if (this.#settledAt !== null) return this.#proven(next, now - this.#settledAt);
    if (now - this.#openedAt > READY_MS) {
      log.warn('The next socket did not become ready in time', { endpoint });
      this.#next = null;
      this.#options.close(next);
      void this.#open();
    }
    return null;
  }

  [Symbol.dispose](): void {
    this.#disposing.abort(new AppError('SOCKET_CLOSED', 'not needed any more'));
  }

  #proven(next: Link, overlapMs: number): Link | null {
    const { unproven } = this.#overlap;
    if (overlapMs < MIN_OVERLAP_MS || (unproven.length > 0 && overlapMs < MAX_OVERLAP_MS)) return null;
    const { log, endpoint, reason } = this.#options;
    const fields = { endpoint, reason, overlapMs: Math.round(overlapMs) };
    if (unproven.length === 0) log.info('Moved to the next socket', fields);
    else log.warn('Moved to the next socket, not proven by data', { ...fields, channels: unproven.join(' ') });
    return next;
  }

  async #open(): Promise<void> {
    const { clock, connects, open } = this.#options;
    const { signal } = this.#disposing;
    this.#openedAt = Number.POSITIVE_INFINITY; // nothing is due while it waits its turn
    try {
      await connects.take(1, signal);
      signal.throwIfAborted();
    } catch {
      return; // done, or the old socket is gone
    }
    this.#overlap = new Overlap();
    this.#settledAt = null;
    this.#openedAt = clock.monotonic();
    this.#next = open();
  }
}
