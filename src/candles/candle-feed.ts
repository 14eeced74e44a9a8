import { Alarm } from '../pipeline/stream/alarm.ts';
import type { Delivery } from '../pipeline/stream/delivery.ts';
import type { Stream } from '../pipeline/stream/stream.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import type { CandlePlace, CandleUpdate } from './candle-change.ts';
import { type CandleSelection, CandleSeries, type CandleSeriesPorts } from './candle-series.ts';
import { type CandleBatch, CandleSubscription } from './candle-subscription.ts';

export interface CandleStreamRequest extends CandleSelection {
  /** Also what happens to candles whose time is not over. */
  readonly includeForming: boolean;
  /** Null: from now on. Otherwise what happened after it comes first, each candle once. */
  readonly after: CandlePlace | null;
  readonly delivery: Delivery;
}

export interface CandleFeedPorts extends Omit<CandleSeriesPorts, 'alarm'> {
  readonly queues: QueueRegistry;
}

/** A series and those who listen to it. */
interface Room {
  readonly key: string;
  readonly series: CandleSeries;
  readonly listeners: Set<CandleSubscription>;
}

/**
 * Candles as they come about, to any number of subscribers. Those who ask for the same share one series; whoever resumes has one of
 * its own until it has caught up.
 */
export class CandleFeed implements Disposable {
  readonly #ports: CandleSeriesPorts;
  readonly #queues: QueueRegistry;
  readonly #alarm: Alarm;
  readonly #shared = new Map<string, Room>();
  readonly #rooms = new Map<CandleSubscription, Room>();

  constructor({ queues, ...ports }: CandleFeedPorts) {
    this.#queues = queues;
    this.#alarm = new Alarm(ports.clock);
    this.#ports = { ...ports, alarm: this.#alarm };
  }

  get subscribers(): number {
    return this.#rooms.size;
  }

  /**
   * @throws {AppError} BAD_USER_INPUT for an impossible delivery; from next() CURSOR_EXPIRED when too much happened since `after`, and
   * DATABASE_UNAVAILABLE. The client comes back with its last place.
   */
  subscribe(request: CandleStreamRequest): Stream<CandleBatch> {
    const { delivery, includeForming, after } = request;
    const subscription: CandleSubscription = new CandleSubscription(
      { delivery, includeForming, place: after },
      {
        ...{ clock: this.#ports.clock, alarm: this.#alarm, queues: this.#queues },
        leave: () => this.#leave(subscription),
      },
    );
    this.#enter(request, after, subscription);
    return subscription.stream;
  }

  /** Ends every subscription. */
  [Symbol.dispose](): void {
    for (const { stream } of [...this.#rooms.keys()]) void stream.return();
    this.#alarm[Symbol.dispose]();
  }

  #enter(selection: CandleSelection, place: CandlePlace | null, subscription: CandleSubscription): void {
    const key = keyOf(selection);
    const shared = place === null ? this.#shared.get(key) : undefined;
    const room = shared ?? this.#open(key, selection, place);
    room.listeners.add(subscription);
    this.#rooms.set(subscription, room);
    subscription.begin(room.series.place);
    if (shared?.series.forming) subscription.offer(present(shared.series));
  }

  #open(key: string, { exchange, symbols, interval }: CandleSelection, place: CandlePlace | null): Room {
    const room: Room = {
      key,
      listeners: new Set(),
      series: new CandleSeries({ exchange, symbols, interval }, place, this.#ports, {
        told: (update) => {
          for (const listener of [...room.listeners]) listener.offer(update);
          if (this.#shared.get(key) !== room) setImmediate(() => this.#join(room));
        },
        ended: (error) => {
          for (const { stream } of [...room.listeners]) stream.fail(error);
        },
      }),
    };
    if (place === null) this.#shared.set(key, room);
    return room;
  }

  /** A series of its own that has caught up becomes the shared one, or its listeners go over to that once both stand at one place. */
  #join(room: Room): void {
    if (room.listeners.size === 0) return;
    const shared = this.#shared.get(room.key);
    if (shared === undefined) this.#shared.set(room.key, room);
    if (shared === undefined || shared === room) return;
    if (!(room.series.isSettled && shared.series.isSettled && isSame(room.series.place, shared.series.place))) return;
    for (const listener of room.listeners) {
      shared.listeners.add(listener);
      this.#rooms.set(listener, shared);
    }
    room.listeners.clear();
    this.#close(room);
  }

  #leave(subscription: CandleSubscription): void {
    const room = this.#rooms.get(subscription);
    this.#rooms.delete(subscription);
    if (room?.listeners.delete(subscription) && room.listeners.size === 0) this.#close(room);
  }

  #close(room: Room): void {
    room.series[Symbol.dispose]();
    if (this.#shared.get(room.key) === room) this.#shared.delete(room.key);
  }
}

const keyOf = ({ exchange, symbols, interval }: CandleSelection): string =>
  `${exchange} ${interval} ${symbols.join(' ')}`;

/** What a new listener is told first. */
const present = ({ forming, place }: CandleSeries): CandleUpdate => ({
  changes: (forming ?? []).map((candle) => ({ type: 'UPDATED', candle, previous: null })),
  notices: [],
  place,
});

/** Both have seen all trades; what is closed may differ by a moment. */
const isSame = (a: CandlePlace, b: CandlePlace): boolean =>
  [...a.closed].every(([symbol, closed]) => b.closed.get(symbol) === closed);
