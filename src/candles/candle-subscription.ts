import type { Alarm } from '../pipeline/stream/alarm.ts';
import { type Delivery, Pace } from '../pipeline/stream/delivery.ts';
import type { Notice } from '../pipeline/stream/notice.ts';
import { PullStream } from '../pipeline/stream/pull-stream.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import { CandleBacklog } from './candle-backlog.ts';
import type { CandleChange, CandlePlace, CandleUpdate } from './candle-change.ts';

/** One payload of a subscription. */
export interface CandleBatch {
  /** May be empty: the place moved, or there is a notice. */
  readonly changes: readonly CandleChange[];
  /** Whoever resumes here misses nothing. */
  readonly place: CandlePlace;
  readonly notices: readonly Notice[];
  /** Changes since the last batch that were merged into a newer one of their candle. */
  readonly conflated: number;
}

export interface CandleSubscriptionPorts {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly queues: QueueRegistry;
  leave(): void;
}

/** Most changes of one batch. */
const MAX_BATCH = 1_000;
/** A place that moved without a change is told at most this often. */
const IDLE_MS = 5_000;
const MAX_NOTICES = 256;

/** One subscriber: what waits for it, and where it stands. */
export class CandleSubscription {
  readonly stream: PullStream<CandleBatch>;
  readonly #includeForming: boolean;
  readonly #ports: CandleSubscriptionPorts;
  readonly #pace: Pace;
  readonly #backlog: CandleBacklog;
  #notices: Notice[] = [];
  /** Of all that was offered; null before the first. */
  #place: CandlePlace | null = null;
  /** Of all that was sent. */
  #sent: CandlePlace | null;
  #isTold: boolean;

  constructor(
    { delivery, includeForming, place }: { delivery: Delivery; includeForming: boolean; place: CandlePlace | null },
    ports: CandleSubscriptionPorts,
  ) {
    this.#includeForming = includeForming;
    this.#ports = ports;
    this.#sent = place;
    this.#isTold = place !== null;
    this.#pace = new Pace(delivery, ports.clock.monotonic());
    this.#backlog = new CandleBacklog(delivery.mode, ports.queues);
    this.stream = new PullStream({ pull: () => this.#pull(), close: () => this.#close() });
  }

  readonly wake = (): void => this.stream.wake();

  /** Where it begins that named no place. */
  begin(place: CandlePlace): void {
    this.#sent ??= place;
  }

  offer({ changes, notices, place }: CandleUpdate): void {
    const isClosed = ({ candle }: CandleChange) => candle.closeTime <= (place.closed.get(candle.symbol) ?? 0);
    const wanted = this.#includeForming ? changes : changes.filter(isClosed);
    this.#notices.push(...notices);
    if (this.#notices.length > MAX_NOTICES) this.#notices.splice(0, this.#notices.length - MAX_NOTICES);
    this.#place = place;
    if (this.#backlog.put(wanted)) return this.wake();
    this.stream.fail(
      new AppError(
        'CURSOR_EXPIRED',
        `More than ${this.#backlog.capacity} candles changed since the client last read: read them with the query \`candles\`, and subscribe anew`,
      ),
    );
  }

  #pull(): CandleBatch | null {
    if (this.#place === null) return null;
    const now = this.#ports.clock.monotonic();
    const due = Math.max(this.#pace.earliest, this.#readyAt(now, this.#place));
    if (due <= now) return this.#batch(now, this.#place);
    if (due !== Number.POSITIVE_INFINITY) this.#ports.alarm.wakeBy(due, this.wake);
    return null;
  }

  #readyAt(now: number, place: CandlePlace): number {
    if (!this.#isTold || this.#notices.length > 0 || this.#backlog.held >= MAX_BATCH) return now;
    if (this.#backlog.held > 0) return this.#pace.companyUntil(now);
    return place === this.#sent ? Number.POSITIVE_INFINITY : this.#pace.lastSent + IDLE_MS;
  }

  #batch(now: number, place: CandlePlace): CandleBatch {
    const { changes, conflated, missed } = this.#backlog.take(MAX_BATCH);
    const lagged: readonly Notice[] = missed > 0 ? [{ type: 'LAGGED', missed }] : [];
    const notices = [...lagged, ...this.#notices];
    this.#notices = [];
    // With more to come of the same update only what was sent before is done with.
    if (this.#backlog.held === 0) this.#sent = place;
    this.#isTold = true;
    this.#pace.sent(now);
    return { changes, place: this.#sent ?? place, notices, conflated };
  }

  #close(): void {
    this.#ports.alarm.cancel(this.wake);
    this.#backlog[Symbol.dispose]();
    this.#ports.leave();
  }
}
