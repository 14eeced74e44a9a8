import type { DataType } from '../market/data-type.ts';
import type { Clock } from '../runtime/clock.ts';
import type { StreamStatus } from './collector-status.ts';

const WINDOW_S = 10;
/** Weight of the newest gap in the running mean of the gaps between messages. */
const NEWEST = 0.1;
/** LIVE up to this many mean gaps of silence (but at least LIVE_MS), QUIET up to STALLED_GAPS (but at least the allowed silence). */
const LIVE_GAPS = 5;
const LIVE_MS = 5_000;
const STALLED_GAPS = 20;

/** Follows the rhythm of one stream and judges its silence by it. */
export class StreamMonitor {
  readonly dataType: DataType;
  readonly #clock: Clock;
  readonly #allowedSilenceMs: number;
  readonly #perSecond = new Uint32Array(WINDOW_S);
  #second = 0;
  #startedAt: number;
  #lastAt: number | null = null;
  #lastMessageAt: number | null = null;
  #meanGapMs: number | null = null;
  #lagMs: number | null = null;

  constructor(dataType: DataType, allowedSilenceMs: number, clock: Clock) {
    this.dataType = dataType;
    this.#clock = clock;
    this.#allowedSilenceMs = allowedSilenceMs;
    this.#startedAt = clock.monotonic();
  }

  /** Forgets the rhythm's last beat, so that silence counts from now; called when the stream is asked for (again). */
  begin(): void {
    this.#startedAt = this.#clock.monotonic();
    this.#lastAt = null;
  }

  /** One message; times are wall times in ms, `exchangeTime` null where the exchange stamps none. */
  message(receivedAt: number, exchangeTime: number | null): void {
    const now = this.#clock.monotonic();
    if (this.#lastAt !== null) {
      const gap = now - this.#lastAt;
      this.#meanGapMs = this.#meanGapMs === null ? gap : this.#meanGapMs + NEWEST * (gap - this.#meanGapMs);
    }
    this.#lastAt = now;
    this.#lastMessageAt = receivedAt;
    if (exchangeTime !== null) this.#lagMs = receivedAt - exchangeTime;
    this.#count(now, 1);
  }

  get lastMessageAt(): number | null {
    return this.#lastMessageAt;
  }

  /** Silence in ms since the last message, or since the stream began. */
  get silenceMs(): number {
    return this.#clock.monotonic() - (this.#lastAt ?? this.#startedAt);
  }

  get stalled(): boolean {
    return this.silenceMs > Math.max(this.#allowedSilenceMs, STALLED_GAPS * (this.#meanGapMs ?? 0));
  }

  /** `collector`: what the collector says of itself, which wins over silence. */
  status(collector: 'STOPPED' | 'RECONNECTING' | null): StreamStatus {
    const silence = this.silenceMs;
    const live = this.#lastAt !== null && silence <= Math.max(LIVE_MS, LIVE_GAPS * (this.#meanGapMs ?? 0));
    this.#count(this.#clock.monotonic(), 0);
    return {
      dataType: this.dataType,
      health: collector ?? (live ? 'LIVE' : this.stalled ? 'STALLED' : 'QUIET'),
      reason: this.#reason(collector, silence),
      lastMessageAt: this.#lastMessageAt === null ? null : new Date(this.#lastMessageAt),
      messagesPerSecond: this.#perSecond.reduce((sum, count) => sum + count, 0) / WINDOW_S,
      lagMs: this.#lagMs,
      openGaps: 0,
    };
  }

  #reason(collector: 'STOPPED' | 'RECONNECTING' | null, silenceMs: number): string {
    if (collector === 'STOPPED') return 'The collector is not running.';
    if (collector === 'RECONNECTING') return 'The connection is being established.';
    const silence = `${(silenceMs / 1_000).toFixed(1)} s`;
    if (this.#lastAt === null) return `No ${this.dataType} message yet, ${silence} after asking for them.`;
    if (this.#meanGapMs === null) return `The first ${this.dataType} message came ${silence} ago.`;
    return `The last ${this.dataType} message came ${silence} ago; the usual gap is ${(this.#meanGapMs / 1_000).toFixed(2)} s.`;
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
