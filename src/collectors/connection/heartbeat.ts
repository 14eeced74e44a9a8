import type { ConnectionConfig } from '../../exchanges/adapter.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Punctuality } from '../pacing/punctuality.ts';
import { Rhythm } from '../pacing/rhythm.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly connection: Pick<ConnectionConfig, 'ping_interval' | 'pong_timeout'>;
  /** How often `tick` is called. */
  readonly tickMs: number;
  readonly ping: () => void;
  /** Bytes received so far, also of frames that are not complete yet. */
  readonly bytesRead: () => number;
}

/** A socket that is silent for so many of its own mean gaps, but at least EARLY_MS, is pinged before `ping_interval`. */
const EARLY_GAPS = 20;
const EARLY_MS = 5_000;
/** Longest wait for the answer to such a ping: on a busy socket anything at all would have come. */
const EARLY_ANSWER_MS = 5_000;

/** Whether a socket is alive. Everything inbound is a sign of life; what it carries does not matter here. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #punctuality: Punctuality;
  readonly #rhythm: Rhythm;
  #heardAt: number;
  #heardAtWall: number | null = null;
  #bytesRead = 0;
  #pinged: { at: number; readonly patienceMs: number } | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#punctuality = new Punctuality(options.clock, options.tickMs);
    this.#rhythm = new Rhythm();
    this.#heardAt = options.clock.monotonic();
  }

  /** Wall time in ms of the last sign of life; null before the first. */
  get lastAt(): number | null {
    return this.#heardAtWall;
  }

  /** The same in monotonic ms; what was our own standstill since then is added to it. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get silenceMs(): number {
    return this.#options.clock.monotonic() - this.#heardAt;
  }

  heard(): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#rhythm.message(this.#heardAt);
    this.#heardAtWall = this.#options.clock.now();
    this.#pinged = null;
  }

  /** We did not listen: the silence was ours. */
  restart(): void {
    this.#heardAt = this.#options.clock.monotonic();
    this.#pinged = null;
    this.#rhythm.pause();
  }

  /** To be called every `tickMs`; false right after a standstill of our own, when nothing can be told from silence. */
  punctual(): boolean {
    const late = this.#punctuality.tick();
    if (late === 0) return true;
    this.#rhythm.pause();
    const now = this.#options.clock.monotonic();
    const lost = late + this.#options.tickMs;
    this.#heardAt = Math.min(now, this.#heardAt + lost);
    if (this.#pinged) this.#pinged.at = Math.min(now, this.#pinged.at + lost);
    return false;
  }

  /** Pings when it is time to; says why the socket is dead, or null. */
  check(): string | null {
    const { clock, connection, ping, bytesRead } = this.#options;
    if (bytesRead() > this.#bytesRead) {
      this.#bytesRead = bytesRead();
      if (this.#pinged) this.#pinged.at = clock.monotonic(); // slow, not dead
    }
    const now = clock.monotonic();
    if (this.#pinged) {
      const { at, patienceMs } = this.#pinged;
      return now - at >= patienceMs ? `no answer to a ping for ${patienceMs / 1_000} s` : null;
    }
    const pingMs = connection.ping_interval * 1_000;
    const earlyMs = this.#earlyMs;
    if (this.silenceMs < Math.min(pingMs, earlyMs)) return null;
    const pongMs = connection.pong_timeout * 1_000;
    this.#pinged = { at: now, patienceMs: earlyMs < pingMs ? Math.min(EARLY_ANSWER_MS, pongMs) : pongMs };
    ping();
    return null;
  }

  get #earlyMs(): number {
    const gap = this.#rhythm.meanGapMs;
    return gap === null ? Number.POSITIVE_INFINITY : Math.max(EARLY_MS, EARLY_GAPS * gap);
  }
}
