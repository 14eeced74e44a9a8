import type { DataType } from '../../market/data-type.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { StreamMonitor, Verdict } from './stream-monitor.ts';

/** What can be done about a stream, the smallest first. All of them may come to nothing, and say nothing then. */
export interface RemedyPorts {
  resubscribe(type: DataType, cause: string): void;
  /**
   * Moves its sockets, while the old ones still deliver. `openedBefore`, monotonic ms: sockets opened since then are new
   * enough; null where the stream's silence is all that is known.
   */
  replace(type: DataType, cause: string, openedBefore: number | null): void;
  /** Cuts sockets on which nothing comes at all. */
  reconnect(type: DataType, cause: string, openedBefore: number): void;
  /** Whether the exchange had refused its channel. */
  refused(type: DataType): boolean;
  /** Something is being done; whether it helped is known after `waitMs` at the earliest. */
  acted(stream: StreamMonitor, what: string, waitMs: number): void;
}

interface Tried {
  steps: number;
  /** How often something helped, but did not cure. */
  cases: number;
  /** Whether it is known that the last remedy helped. */
  helped: boolean;
  /** Monotonic ms. */
  at: number;
  nextAt: number;
  verdict: Verdict | null;
}

/** Steps against a feed that is mute by evidence, each with the time it has to help. */
const STEPS = [
  { does: 'resubscribe', says: 'subscribing again', waitMs: 2_000 },
  { does: 'replace', says: 'moving to another socket', waitMs: 10_000 },
  { does: 'reconnect', says: 'reconnecting', waitMs: 30_000 },
] as const;
/** Wait after the first remedy without evidence, and after the first round of steps with it; doubles up to the cap. */
const WAIT_MS = 60_000;
const CAP_MS = 600_000;
/** A stream that went on for this long was cured; what happens next has nothing to do with it. */
const CURED_MS = 30_000;
/** One that went on for this long was helped: the next case begins with the smallest remedy, at once ... */
const HELPED_MS = 1_500;
/** ... but no more often than this in a row; then each case waits, from CASE_WAIT_MS on twice as long as the one before. */
const QUICK_CASES = 12;
const CASE_WAIT_MS = 30_000;

/** What was tried for the silent streams of one collector: step by step, ever more rarely while nothing helps, for ever. */
export class Remedies {
  readonly #ports: RemedyPorts;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tried = new Map<DataType, Tried>();

  constructor(ports: RemedyPorts, clock: Clock, random: Random) {
    this.#ports = ports;
    this.#clock = clock;
    this.#random = random;
  }

  clear(): void {
    this.#tried.clear();
  }

  /** When something was last done about the data of this type; monotonic ms, -Infinity for never. */
  lastAt(type: DataType): number {
    return this.#tried.get(type)?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** Does the next thing about a stream that needs it, when it is time to. */
  apply(stream: StreamMonitor): void {
    const now = this.#clock.monotonic();
    const before = this.#triedOf(stream);
    if (now < (before?.nextAt ?? now)) return;
    const tried = before ?? { steps: 0, cases: 0, helped: false, at: stream.silentSince, nextAt: now, verdict: null };
    if (stream.verdict?.kind === 'mute') this.#nextStep(stream, stream.verdict, tried, now);
    else this.#withoutEvidence(stream, tried, now);
    this.#tried.set(stream.dataType, tried);
  }

  #triedOf(stream: StreamMonitor): Tried | undefined {
    const tried = this.#tried.get(stream.dataType);
    if (!tried) return undefined;
    const wentOnMs = stream.heardAt - tried.at;
    if (wentOnMs > CURED_MS) {
      this.#tried.delete(stream.dataType);
      return undefined;
    }
    if (wentOnMs > HELPED_MS && !tried.helped) this.#helped(tried);
    return tried;
  }

  #helped(tried: Tried): void {
    const cases = tried.cases + 1;
    const wait = cases <= QUICK_CASES ? 0 : this.#jittered(Math.min(CAP_MS, CASE_WAIT_MS * 2 ** (cases - QUICK_CASES)));
    Object.assign(tried, { steps: 0, cases, helped: true, nextAt: tried.at + wait });
  }

  /** One step per verdict: the next one has to be earned by new evidence. */
  #nextStep(stream: StreamMonitor, verdict: Verdict, tried: Tried, now: number): void {
    if (tried.verdict === verdict) return;
    const step = STEPS[tried.steps % STEPS.length] ?? STEPS[0];
    const isLast = step.does === 'reconnect';
    const round = Math.floor(tried.steps / STEPS.length);
    const wait = isLast ? this.#jittered(Math.min(CAP_MS, step.waitMs * 2 ** round)) : step.waitMs;
    const openedBefore = tried.at;
    Object.assign(tried, { steps: tried.steps + 1, at: now, nextAt: now + wait, verdict, helped: false });
    this.#ports.acted(stream, step.says, wait);
    if (step.does === 'resubscribe') this.#ports.resubscribe(stream.dataType, verdict.because);
    else this.#ports[step.does](stream.dataType, verdict.because, openedBefore);
  }

  #withoutEvidence(stream: StreamMonitor, tried: Tried, now: number): void {
    const type = stream.dataType;
    const wait = Math.min(CAP_MS, WAIT_MS * 2 ** tried.steps);
    const asks = tried.steps === 0 || this.#ports.refused(type);
    Object.assign(tried, { steps: tried.steps + 1, at: now, nextAt: now + wait, verdict: null, helped: false });
    this.#ports.acted(stream, asks ? 'subscribing again' : 'moving to another socket', wait);
    if (asks) this.#ports.resubscribe(type, `no ${type} for too long`);
    else this.#ports.replace(type, `no ${type} comes on it`, null);
  }

  #jittered(ms: number): number {
    return ms * (0.75 + 0.5 * this.#random());
  }
}
