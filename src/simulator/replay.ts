import type { RestAnswer, RestCall } from './dialect.ts';
import type { Feed } from './feed.ts';
import type { RecordedAnswer, RecordedFrame, Recording } from './recording.ts';

export interface ReplayState {
  readonly frames: number;
  readonly sent: number;
  /** Recorded and sent frames by topic. */
  readonly topics: Readonly<Record<string, { readonly frames: number; readonly sent: number }>>;
}

/** So that a client that subscribes in several requests gets the beginning of every topic. */
const SETTLE_MS = 250;
const MAX_FRAMES_PER_TICK = 2_000;

/**
 * Plays a recording to whoever subscribes, in recorded order. The clock starts with the first subscription; frames of a topic
 * nobody has joined yet wait for it. Played to its end, it starts over once nobody listens.
 */
export class Replay {
  readonly #recording: Recording;
  readonly #speed: number;
  readonly #sent = new Map<string, number>();
  readonly #asked = new Map<string, number>();
  #waiting: readonly RecordedFrame[];
  #startedAt: number | null = null;

  /** `speed` 1 is the recorded one, 2 twice as fast, 0 as fast as clients read. */
  constructor(recording: Recording, speed: number) {
    this.#recording = recording;
    this.#speed = speed;
    this.#waiting = recording.frames;
  }

  knows(nativeSymbol: string): boolean {
    return this.#recording.symbols.has(nativeSymbol);
  }

  state(): ReplayState {
    const topics: Record<string, { frames: number; sent: number }> = Object.create(null);
    for (const { topic } of this.#recording.frames) {
      topics[topic] ??= { frames: 0, sent: this.#sent.get(topic) ?? 0 };
      topics[topic].frames += 1;
    }
    return {
      frames: this.#recording.frames.length,
      sent: this.#recording.frames.length - this.#waiting.length,
      topics,
    };
  }

  /** Sends what is due; `now` is monotonic, `congested` says that a client is behind. */
  tick(feed: Feed, now: number, congested: boolean): void {
    if (feed.idle) return this.#rewindWhenDone();
    this.#startedAt ??= now;
    if (congested || now - this.#startedAt < SETTLE_MS) return;
    const first = this.#recording.frames[0]?.time ?? 0;
    const until =
      this.#speed === 0 ? Number.POSITIVE_INFINITY : first + (now - this.#startedAt - SETTLE_MS) * this.#speed;
    const kept: RecordedFrame[] = [];
    let [looked, sent] = [0, 0];
    for (const frame of this.#waiting) {
      if (frame.time > until || sent === MAX_FRAMES_PER_TICK) break;
      looked += 1;
      if (feed.publish(frame.topic, frame)) {
        sent += 1;
        this.#sent.set(frame.topic, (this.#sent.get(frame.topic) ?? 0) + 1);
      } else kept.push(frame);
    }
    if (sent > 0) this.#waiting = [...kept, ...this.#waiting.slice(looked)];
  }

  /** The recorded answer for this path and instrument; several of them one after the other, the last for ever. */
  rest({ path, query, now }: RestCall): RestAnswer {
    const found = this.#recording.answers.filter((answer) => answer.path === path && sameSubject(answer, query));
    const key = `${path} ${SUBJECTS.map((name) => query.get(name)).join(' ')}`;
    const asked = this.#asked.get(key) ?? 0;
    const answer = found[Math.min(asked, found.length - 1)];
    if (answer !== undefined) {
      this.#asked.set(key, asked + 1);
      return { status: 200, body: answer.body };
    }
    if (path === '/api/v5/public/time') return { status: 200, body: `{"code":"0","msg":"","data":[{"ts":"${now}"}]}` };
    if (path === '/api/v3/time') return { status: 200, body: `{"serverTime":${now}}` };
    if (/^\/api\/v5\/market\/(history-)?(trades|candles)$/.test(path))
      return { status: 200, body: '{"code":"0","msg":"","data":[]}' };
    if (/^\/api\/v3\/(trades|historicalTrades|aggTrades|klines)$/.test(path)) return { status: 200, body: '[]' };
    return { status: 404, body: '{"code":"404","msg":"Not in the recording","data":[]}' };
  }

  #rewindWhenDone(): void {
    if (this.#waiting.length > 0 || this.#startedAt === null) return;
    this.#waiting = this.#recording.frames;
    this.#startedAt = null;
    this.#sent.clear();
    this.#asked.clear();
  }
}

const SUBJECTS = ['symbol', 'instId', 'instType', 'interval', 'bar'] as const;

const sameSubject = (answer: RecordedAnswer, query: URLSearchParams): boolean =>
  SUBJECTS.every((name) => !answer.query.has(name) || answer.query.get(name) === query.get(name));
