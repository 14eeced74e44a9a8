import { BoundedQueue, type QueueRegistry } from '../../runtime/bounded-queue.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Alarm } from '../stream/alarm.ts';
import { Pace } from '../stream/delivery.ts';
import { PullStream } from '../stream/pull-stream.ts';
import {
  type LiveBatch,
  type LiveEvent,
  type LiveEventOf,
  type LiveKind,
  type LiveRequest,
  stateKey,
} from './live-event.ts';

/** Events held for one slow subscriber. A full order book has 400 levels a side, so few of those. */
const CAPACITY: Readonly<Record<LiveKind, number>> = { ticker: 1_024, candle: 1_024, balance: 1_024, orderbook: 64 };

export interface LivePorts {
  readonly clock: Clock;
  readonly queues: QueueRegistry;
  readonly alarm: Alarm;
  leave(): void;
}

/** One subscriber: what waits for it, as a bounded queue or, conflated, as the newest of each instrument. */
export class LiveSubscription<K extends LiveKind> {
  readonly stream: PullStream<LiveBatch<K>>;
  readonly #exchange: string | null;
  readonly #symbols: ReadonlySet<string> | null;
  readonly #ports: LivePorts;
  readonly #pace: Pace;
  readonly #waiting: Waiting<LiveEventOf<K>>;
  /** The server goes away: to be told at once, then it was told. */
  #draining: 'no' | 'now' | 'told' = 'no';

  constructor({ kind, filter, delivery }: LiveRequest<K>, ports: LivePorts) {
    this.#exchange = filter.exchange || null;
    this.#symbols = filter.symbols ? new Set(filter.symbols) : null;
    this.#ports = ports;
    this.#pace = new Pace(delivery, ports.clock.monotonic());
    this.#waiting =
      delivery.mode === 'CONFLATE'
        ? new NewestOfEach()
        : new Queued(`${kind} subscribers`, CAPACITY[kind], ports.queues);
    this.stream = new PullStream({ pull: () => this.#pull(), close: () => this.#close() });
  }

  readonly wake = (): void => this.stream.wake();

  /** An event of this subscription's kind. */
  offer(event: LiveEvent): void {
    if (this.#exchange !== null && event.exchange !== this.#exchange) return;
    if (this.#symbols !== null && !this.#symbols.has(event.symbol)) return;
    this.#waiting.put(event as LiveEventOf<K>); // the feed keeps its subscribers by kind
  }

  drain(): void {
    if (this.#draining === 'no') this.#draining = 'now';
  }

  #pull(): LiveBatch<K> | null {
    const now = this.#ports.clock.monotonic();
    if (this.#draining === 'now') {
      this.#draining = 'told';
      const { notices, ...batch } = this.#waiting.take();
      return { ...batch, notices: [...notices, { type: 'DRAINING' }] };
    }
    if (this.#waiting.size === 0) return null;
    const due = Math.max(this.#pace.earliest, this.#waiting.urgent ? now : this.#pace.companyUntil(now));
    if (due > now) {
      this.#ports.alarm.wakeBy(due, this.wake);
      return null;
    }
    this.#pace.sent(now);
    return this.#waiting.take();
  }

  #close(): void {
    this.#ports.alarm.cancel(this.wake);
    this.#waiting[Symbol.dispose]();
    this.#ports.leave();
  }
}

interface Waiting<T> extends Disposable {
  readonly size: number;
  /** Waiting longer would lose more. */
  readonly urgent: boolean;
  put(event: T): void;
  take(): {
    readonly events: readonly T[];
    readonly notices: LiveBatch<LiveKind>['notices'];
    readonly conflated: number;
  };
}

class Queued<T> implements Waiting<T> {
  readonly #queue: BoundedQueue<T>;
  #told = 0;

  constructor(name: string, capacity: number, registry: QueueRegistry) {
    this.#queue = new BoundedQueue({ name, capacity, policy: 'drop-oldest', registry });
  }

  get size(): number {
    return this.#queue.held;
  }

  get urgent(): boolean {
    return this.#queue.held === this.#queue.capacity;
  }

  put(event: T): void {
    this.#queue.push(event);
  }

  take(): ReturnType<Waiting<T>['take']> {
    const missed = this.#queue.dropped - this.#told;
    this.#told = this.#queue.dropped;
    const events = this.#queue.take(this.#queue.capacity);
    return { events, notices: missed > 0 ? [{ type: 'LAGGED', missed }] : [], conflated: 0 };
  }

  [Symbol.dispose](): void {
    this.#queue[Symbol.dispose]();
  }
}

class NewestOfEach<T extends LiveEvent> implements Waiting<T> {
  readonly urgent = false;
  readonly #events = new Map<string, T>();
  #conflated = 0;

  get size(): number {
    return this.#events.size;
  }

  put(event: T): void {
    const key = stateKey(event);
    if (this.#events.delete(key)) this.#conflated += 1; // and back at the end: arrival order
    this.#events.set(key, event);
  }

  take(): ReturnType<Waiting<T>['take']> {
    const taken = { events: [...this.#events.values()], notices: [], conflated: this.#conflated };
    this.#events.clear();
    this.#conflated = 0;
    return taken;
  }

  [Symbol.dispose](): void {
    this.#events.clear();
  }
}
