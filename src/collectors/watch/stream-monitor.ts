import type { DataType } from '../../market/data-type.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Rhythm } from '../pacing/rhythm.ts';
import type { StreamStatus } from './stream-status.ts';

const WINDOW_S = 10;
/** LIVE up to this many mean gaps of silence, but at least PATIENCE_MS. */
const LIVE_GAPS = 5;
/** From this many mean gaps of silence on, but at least PATIENCE_MS, the stream is looked into. */
const SUSPECT_GAPS = 20;
const PATIENCE_MS = 5_000;
/** Silence of this many times the allowed is acted upon whatever is not known. */
const EXTREME = 3;

/** What is known of a silent stream beyond its silence. */
export interface Verdict {
  /** quiet: there is nothing to send. mute: there is, and it does not come. unknown: it could not be found out. */
  readonly kind: 'quiet' | 'mute' | 'unknown';
  /** A clause without a full stop, e.g. "OKX has none newer either". */
  readonly because: string;
}

/** Follows the rhythm of one stream, and says what its silence means: by evidence where there is some, else by the rhythm. */
export class StreamMonitor {
  readonly dataType: DataType;
  readonly #clock: Clock;
  readonly #allowedMs: number;
  readonly #rhythm: Rhythm;
  readonly #perSecond = new Uint32Array(WINDOW_S);
  #second = 0;
  #messages = 0;
  /** Where silence begins, monotonic ms; moved forward by what was our own standstill. */
  #silentSince: number;
  #heardAt = Number.NEGATIVE_INFINITY;
  #begun = false;
  #lastMessageAt: number | null = null;
  #lagMs: number | null = null;
  #verdict: Verdict | null = null;
  #doing: string | null = null;

  constructor(dataType: DataType, allowedMs: number, clock: Clock) {
    this.dataType = dataType;
    this.#clock = clock;
    this.#allowedMs = allowedMs;
    this.#rhythm = new Rhythm();
    this.#silentSince = clock.monotonic();
  }

  /** Silence counts from now; called when the stream is asked for (again). */
  begin(): void {
    this.#silentSince = this.#clock.monotonic();
    this.#begun = false;
    this.#rhythm.pause();
    this.#clear();
  }

  /** One message; times are wall times in ms, `exchangeTime` null where the exchange stamps none; `at` is as in `heard`. */
  message(receivedAt: number, exchangeTime: number | null, at = this.#clock.monotonic()): void {
    this.heard(at);
    this.#lastMessageAt = receivedAt;
    if (exchangeTime !== null) this.#lagMs = receivedAt - exchangeTime;
    this.#count(this.#silentSince, 1);
  }

  /** Its data came (`at`, monotonic ms), although there is no message yet to make of it. */
  heard(at: number): void {
    if (this.#verdict && this.#verdict.kind !== 'quiet') this.#rhythm.pause(); // this silence was not the market's
    this.#silentSince = at;
    this.#rhythm.message(this.#silentSince);
    this.#heardAt = this.#silentSince;
    this.#begun = true;
    this.#messages += 1;
    this.#clear();
  }

  /** So much of the silence was ours: we did not listen. */
  forgive(ms: number): void {
    this.#silentSince = Math.min(this.#clock.monotonic(), this.#silentSince + ms);
    this.#rhythm.pause();
  }

  get lastMessageAt(): number | null {
    return this.#lastMessageAt;
  }

  /** How often its data came so far. */
  get messages(): number {
    return this.#messages;
  }

  /** When its data last came, whatever was asked for since; monotonic ms. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** When the last message came or the stream was asked for; monotonic ms. */
  get silentSince(): number {
    return this.#silentSince;
  }

  /** Silence in ms since then. */
  get silenceMs(): number {
    return this.#clock.monotonic() - this.#silentSince;
  }

  /** Silent for so long that it is worth looking into. */
  get suspect(): boolean {
    return this.silenceMs > Math.min(Math.max(PATIENCE_MS, this.#gaps(SUSPECT_GAPS)), this.#allowedMs);
  }

  /** Mute by evidence; or, where there is none, silent for longer than allowed and than its rhythm explains. */
  get stalled(): boolean {
    if (this.#verdict?.kind === 'mute') return true;
    return this.#verdict?.kind !== 'quiet' && this.silenceMs > this.#longest;
  }

  /** Worth a remedy: mute by evidence, or stalled where nobody can say more, or for very long where nobody could. */
  get needsRemedy(): boolean {
    if (this.#verdict?.kind !== 'unknown') return this.stalled;
    return this.silenceMs > EXTREME * this.#longest;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** Holds until the next message or the next verdict. */
  judge(verdict: Verdict): void {
    this.#verdict = verdict;
  }

  /** What is done about it and what comes next, as a sentence; shown until the next message. */
  doing(sentence: string): void {
    this.#doing = sentence;
  }

  /** `collector`: what the collector says of itself, which wins over silence; with its reason. */
  status(collector: { readonly health: 'STOPPED' | 'RECONNECTING'; readonly reason: string } | null): StreamStatus {
    const silence = this.silenceMs;
    const live = this.#begun && silence <= Math.max(PATIENCE_MS, this.#gaps(LIVE_GAPS)) && this.#verdict === null;
    this.#count(this.#clock.monotonic(), 0);
    return {
      dataType: this.dataType,
      health: collector?.health ?? (live ? 'LIVE' : this.stalled ? 'STALLED' : 'QUIET'),
      reason: collector?.reason ?? this.reason,
      lastMessageAt: this.#lastMessageAt === null ? null : new Date(this.#lastMessageAt),
      messagesPerSecond: this.#perSecond.reduce((sum, count) => sum + count, 0) / WINDOW_S,
      lagMs: this.#lagMs,
      openGaps: 0,
    };
  }

  /** What is known, what is done about it, and what comes next. */
  get reason(): string {
    const silence = seconds(this.silenceMs, 1);
    const doing = this.#doing === null ? '' : ` ${this.#doing}`;
    if (this.#verdict)
      return `${this.#begun ? `No ${this.dataType} for ${silence}` : this.#none(silence)}; ${this.#verdict.because}.${doing}`;
    if (!this.#begun) return `${this.#none(silence)}.${doing}`;
    const mean = this.#rhythm.meanGapMs;
    const usual = mean === null ? '' : `; the usual gap is ${mean > 250 ? seconds(mean, 2) : '0.25 s or less'}`;
    return `The last ${this.dataType} message came ${silence} ago${usual}.${doing}`;
  }

  #none(silence: string): string {
    return `No ${this.dataType} message yet, ${silence} after asking for them`;
  }

  /** Longest silence in ms that needs no explanation. */
  get #longest(): number {
    return Math.max(this.#allowedMs, this.#gaps(SUSPECT_GAPS));
  }

  #gaps(count: number): number {
    return count * (this.#rhythm.meanGapMs ?? 0);
  }

  #clear(): void {
    this.#verdict = null;
    this.#doing = null;
  }

  /** Counts into the slot of this second, emptying the slots passed over. */
  #count(nowMs: number, messages: number): void {
    const second = Math.floor(nowMs / 1_000);
    for (let passed = Math.max(this.#second + 1, second - WINDOW_S + 1); passed <= second; passed++)
      this.#perSecond[passed % WINDOW_S] = 0;
    this.#second = second;
    const slot = second % WINDOW_S;
    this.#perSecond[slot] = (this.#perSecond[slot] ?? 0) + messages;
  }
}

const seconds = (ms: number, digits: number): string => `${(ms / 1_000).toFixed(digits)} s`;
