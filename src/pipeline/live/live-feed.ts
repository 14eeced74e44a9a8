import type { QueueRegistry } from '../../runtime/bounded-queue.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Alarm } from '../stream/alarm.ts';
import type { Stream } from '../stream/stream.ts';
import { WakeUp, wakeEach } from '../stream/wake-up.ts';
import {
  type LiveBatch,
  type LiveEvent,
  type LiveEventOf,
  type LiveKind,
  type LiveRequest,
  stateKey,
} from './live-event.ts';
import { LiveSubscription } from './live-subscription.ts';

interface LiveFeedOptions {
  readonly clock: Clock;
  readonly queues: QueueRegistry;
}

/** Tickers, order books, exchange candles and balances as they arrive, to any number of subscribers. */
export class LiveFeed implements Disposable {
  readonly #clock: Clock;
  readonly #queues: QueueRegistry;
  readonly #alarm: Alarm;
  readonly #kinds = new Map<LiveKind, Broadcast>();

  constructor({ clock, queues }: LiveFeedOptions) {
    this.#clock = clock;
    this.#queues = queues;
    this.#alarm = new Alarm(clock);
  }

  get subscribers(): number {
    return this.#kinds.values().reduce((sum, { subscriptions }) => sum + subscriptions.size, 0);
  }

  publish(event: LiveEvent): void {
    const { newest, subscriptions, wakeUp } = this.#broadcast(event.kind);
    newest.set(stateKey(event), event);
    if (subscriptions.size === 0) return;
    for (const subscription of subscriptions) subscription.offer(event);
    wakeUp.ask();
  }

  /** @throws {AppError} BAD_USER_INPUT for an impossible delivery. */
  subscribe<K extends LiveKind>(request: LiveRequest<K>): Stream<LiveBatch<K>> {
    const { newest, subscriptions } = this.#broadcast(request.kind);
    const subscription: LiveSubscription<K> = new LiveSubscription(request, {
      clock: this.#clock,
      queues: this.#queues,
      alarm: this.#alarm,
      leave: () => subscriptions.delete(subscription),
    });
    for (const event of newest.values()) subscription.offer(event);
    subscriptions.add(subscription);
    return subscription.stream;
  }

  /** The present state of one instrument, null before the first event. */
  latest<K extends Exclude<LiveKind, 'candle'>>(kind: K, exchange: string, symbol: string): LiveEventOf<K> | null {
    return (this.#kinds.get(kind)?.newest.get(`${exchange}:${symbol}`) ?? null) as LiveEventOf<K> | null;
  }

  /** Tells every subscriber that the server goes away. Repeating changes nothing. */
  drain(): void {
    for (const { subscriptions, wakeUp } of this.#kinds.values()) {
      for (const subscription of subscriptions) subscription.drain();
      wakeUp.ask();
    }
  }

  /** Ends every subscription. */
  [Symbol.dispose](): void {
    for (const { subscriptions } of this.#kinds.values())
      for (const subscription of [...subscriptions]) void subscription.stream.return();
    this.#alarm[Symbol.dispose]();
  }

  #broadcast(kind: LiveKind): Broadcast {
    const known = this.#kinds.get(kind);
    if (known) return known;
    const subscriptions = new Set<Listener>();
    const broadcast = {
      newest: new Map(),
      subscriptions,
      wakeUp: new WakeUp(() => wakeEach(subscriptions), this.#clock),
    };
    this.#kinds.set(kind, broadcast);
    return broadcast;
  }
}

type Listener = Pick<LiveSubscription<LiveKind>, 'offer' | 'wake' | 'drain'> & { readonly stream: Stream<unknown> };

interface Broadcast {
  /** The present state, one an instrument (and interval). */
  readonly newest: Map<string, LiveEvent>;
  readonly subscriptions: Set<Listener>;
  readonly wakeUp: WakeUp;
}
