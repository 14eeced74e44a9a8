import type { MarketEvent, Trade } from '../../market/market-event.ts';
import type { QueueRegistry } from '../../runtime/bounded-queue.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Alarm } from '../stream/alarm.ts';
import type { Delivery } from '../stream/delivery.ts';
import type { Notice } from '../stream/notice.ts';
import type { Stream } from '../stream/stream.ts';
import { WakeUp, wakeEach } from '../stream/wake-up.ts';
import { LiveSubscription } from './live-subscription.ts';

/** What is live but not stored one by one. */
export type LiveEvent = Exclude<MarketEvent, Trade>;
export type LiveKind = LiveEvent['kind'];
export type LiveEventOf<K extends LiveKind> = Extract<LiveEvent, { readonly kind: K }>;

export interface LiveBatch<K extends LiveKind> {
  /** In arrival order; a new subscriber first gets the present state of each matching instrument. May be empty beside a notice. */
  readonly events: readonly LiveEventOf<K>[];
  readonly notices: readonly Notice[];
  /** Events left out because a newer one of the same instrument is here; 0 unless CONFLATE. */
  readonly conflated: number;
}

export interface LiveRequest<K extends LiveKind> {
  readonly kind: K;
  /** What is absent or null does not narrow; an empty list matches nothing. For balances the symbols are currencies. */
  readonly filter: {
    readonly exchange?: string | null | undefined;
    readonly symbols?: readonly string[] | null | undefined;
  };
  /** LOSSLESS and DROP_OLDEST are the same here: a bounded queue that says how much it dropped, as there is no store to read it from. */
  readonly delivery: Delivery;
}

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

/** What a newer event replaces: the state of its instrument, for candles of its interval. */
export const stateKey = (event: LiveEvent): string =>
  event.kind === 'candle' ? `${event.exchange}:${event.symbol}:${event.interval}` : `${event.exchange}:${event.symbol}`;
