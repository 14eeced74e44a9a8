import type { Trade } from '../../market/market-event.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import { isNewer } from '../connection/trade-order.ts';
import type { StreamMonitor, Verdict } from './stream-monitor.ts';

export interface ProbePorts {
  /** e.g. "OKX" */
  readonly exchange: string;
  /**
   * The newest trades of the market by REST, in ascending order.
   * @throws {AppError}
   */
  readonly newestTrades: (signal: AbortSignal) => Promise<readonly Trade[]>;
  /** Whether the sockets are read. */
  readonly listening: () => boolean;
  readonly clock: Clock;
}

/** A trade may show up in REST so much earlier than on the stream. */
const LAG_MS = 1_000;
/** What the socket has received and nobody has read yet is read within this time. */
const READ_MS = 100;
const DEADLINE_MS = 5_000;
/** Wait between two probes of one silence: half of the silence so far, within these. */
const MIN_WAIT_MS = 5_000;
const MAX_WAIT_MS = 120_000;

/** Tells a quiet market from a mute feed: compares the newest trade the exchange has with the last one the stream gave. */
export class TradeProbe implements Disposable {
  readonly #ports: ProbePorts;
  /** The newest trade of this subscription. */
  #last: Trade | null = null;
  /** The newest trade REST has shown, and the one it had shown when the stream was last asked for. */
  #shown: Trade | null = null;
  #shownBefore: Trade | null = null;
  /** Wall ms of the subscription. */
  #since: number;
  #nextAt = Number.NEGATIVE_INFINITY;
  #asking: AbortController | null = null;

  constructor(ports: ProbePorts) {
    this.#ports = ports;
    this.#since = ports.clock.now();
  }

  /** The stream begins on a new socket: what came before tells nothing about it. */
  begin(): void {
    this[Symbol.dispose]();
    this.#last = null;
    this.#shown = null;
    this.#shownBefore = null;
    this.#since = this.#ports.clock.now();
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }

  /** The stream gave this trade. */
  saw(trade: Trade): void {
    if (this.#last === null || isNewer(trade, this.#last)) this.#last = trade;
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }

  /** Something was done about the stream; whether it helped is asked after `waitMs`, by the trades since then. */
  remedied(waitMs: number): void {
    this.#shownBefore = this.#shown;
    this.#nextAt = this.#ports.clock.monotonic() + waitMs;
  }

  /** Asks when the stream is suspect and it is time to; the verdict goes to the stream, then `judged` is called. */
  look(stream: StreamMonitor, judged: () => void): void {
    if (this.#asking || !stream.suspect || this.#ports.clock.monotonic() < this.#nextAt) return;
    const asking = new AbortController();
    this.#asking = asking;
    void this.#ask(stream, asking).then((hasVerdict) => {
      if (this.#asking === asking) this.#asking = null;
      if (hasVerdict) judged();
    });
  }

  [Symbol.dispose](): void {
    this.#asking?.abort(new AppError('EXCHANGE_REST_FAILED', 'not needed any more'));
    this.#asking = null;
  }

  async #ask(stream: StreamMonitor, asking: AbortController): Promise<boolean> {
    const before = stream.messages;
    const outdated = () => asking.signal.aborted || stream.messages !== before || !this.#ports.listening();
    const verdict = await this.#verdict(asking.signal, outdated);
    if (!verdict || outdated()) return false;
    stream.judge(verdict);
    this.#askAgain(stream);
    return true;
  }

  /** Null when the stream came back meanwhile. */
  async #verdict(signal: AbortSignal, outdated: () => boolean): Promise<Verdict | null> {
    const { exchange, clock } = this.#ports;
    try {
      const trades = await this.#newestTrades(signal);
      if (outdated()) return null;
      const newer = this.#newerOf(trades);
      this.#shown = trades.at(-1) ?? this.#shown;
      if (newer.length === 0) return { kind: 'quiet', because: `${exchange} has none newer either` };
      await clock.sleep(spanMs(newer) < LAG_MS ? LAG_MS : READ_MS, signal);
      const count = `${newer.length === trades.length ? 'at least ' : ''}${newer.length}`;
      const noun = newer.length === 1 ? 'trade' : 'trades';
      return { kind: 'mute', because: `REST shows ${count} newer ${noun}: the feed is mute` };
    } catch (error) {
      return { kind: 'unknown', because: `whether there are newer ones is not known: ${messageOf(error)}` };
    }
  }

  #askAgain(stream: StreamMonitor): void {
    const wait = Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, stream.silenceMs / 2));
    this.#nextAt = this.#ports.clock.monotonic() + wait;
    stream.doing(`${this.#ports.exchange} is asked again in ${Math.round(wait / 1_000)} s.`);
  }

  /** Gives up after DEADLINE_MS, also while it waits for the rate budget. */
  async #newestTrades(signal: AbortSignal): Promise<readonly Trade[]> {
    const over = new AbortController();
    const late = this.#ports.clock.sleep(DEADLINE_MS, AbortSignal.any([signal, over.signal])).then(() => {
      throw new AppError('EXCHANGE_REST_FAILED', `no answer by REST within ${DEADLINE_MS / 1_000} s`);
    });
    try {
      return await Promise.race([this.#ports.newestTrades(AbortSignal.any([signal, over.signal])), late]);
    } finally {
      over.abort(new AppError('EXCHANGE_REST_FAILED', 'not needed any more'));
      late.catch(() => undefined); // nobody waits for it any more
    }
  }

  /**
   * Newer than what the stream gave and than what was known when it was last asked for. Where neither is known, newer than
   * the subscription, unless the clocks of the two sides differ so much that this means nothing.
   */
  #newerOf(trades: readonly Trade[]): readonly Trade[] {
    const known = [this.#last, this.#shownBefore, this.#last ? null : this.#shown].filter((one) => one !== null);
    if (known.length > 0) return trades.filter((trade) => known.every((one) => isNewer(trade, one)));
    const newest = trades.at(-1)?.exchangeTime ?? 0;
    if (newest > this.#ports.clock.now() + LAG_MS) return [];
    return trades.filter(({ exchangeTime }) => exchangeTime > this.#since + LAG_MS);
  }
}

const spanMs = (trades: readonly Trade[]): number =>
  (trades.at(-1)?.exchangeTime ?? 0) - (trades[0]?.exchangeTime ?? 0);
