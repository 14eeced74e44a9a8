import type { Gap } from '../../market/gap-ledger.ts';
import type { RecordedTrade } from '../../market/recorded-trade.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Position } from '../../storage/trades.ts';
import { Alarm } from '../stream/alarm.ts';
import type { Stream } from '../stream/stream.ts';
import { WakeUp, wakeEach } from '../stream/wake-up.ts';
import { Company } from './company.ts';
import { type ReaderPorts, TradeReader } from './trade-reader.ts';
import type { TradeBatch, TradeHistory, TradeRequest } from './trade-request.ts';
import { TradeRing } from './trade-ring.ts';
import { type SubscriberHome, TradeSubscriber } from './trade-subscriber.ts';

interface TradeFeedOptions {
  readonly history: TradeHistory;
  readonly clock: Clock;
  /** The last sequence of every writer in the database when the feed opens; what was stored before is read from storage. */
  readonly position: Position;
  /** Trades held for subscribers, a power of two; default 65,536. */
  readonly capacity?: number;
}

/**
 * Every recorded trade, in commit order, to any number of subscribers. Nothing is buffered for a subscriber but a place in
 * the ring; one that falls behind it is served from storage, conflated or told how much it missed, as it asked.
 */
export class TradeFeed implements Disposable {
  readonly #ring: TradeRing;
  readonly #ports: ReaderPorts;
  /** As many trades as are appended, and swept for a slow subscriber, at a time. */
  readonly #slice: number;
  readonly #alarm: Alarm;
  /** Subscribers and followers that have a reader of their own. */
  readonly #alone = new Set<TradeSubscriber>();
  readonly #home: SubscriberHome = { alone: this.#alone, left: (subscriber) => this.#left(subscriber) };
  /** By what they ask for. */
  readonly #companies = new Map<string, Company>();
  readonly #wakeUp: WakeUp;
  #subscribers = 0;
  #followers = 0;
  /** Gaps subscribers were told of, that are not closed. */
  readonly #toldGaps = new Set<string>();

  constructor({ history, clock, position, capacity = 65_536 }: TradeFeedOptions) {
    this.#ring = new TradeRing(capacity, position);
    this.#slice = Math.max(1, Math.min(256, capacity >> 2));
    this.#alarm = new Alarm(clock);
    this.#ports = { ring: this.#ring, history, clock, alarm: this.#alarm };
    this.#wakeUp = new WakeUp(() => this.#round(), clock);
  }

  /** Where the feed stands: the last sequence published of every writer. */
  get position(): Position {
    return this.#ring.position;
  }

  /** Those of `subscribe`. */
  get subscribers(): number {
    return this.#subscribers;
  }

  /** Those of `follow`. */
  get followers(): number {
    return this.#followers;
  }

  /** Trades held for subscribers now. */
  get held(): number {
    return this.#ring.head - this.#ring.floor;
  }

  /**
   * Trades of one or more writers, each writer's in sequence order. Publishing a trade again changes nothing. With `through` these
   * are all there are from where the feed stands up to there: numbers left out are empty. Without it a number left out may be a
   * trade another server recorded, and subscribers read from storage what lies before it.
   */
  publish(trades: readonly RecordedTrade[], through: Position | null = null): void {
    for (let start = 0; start < trades.length; start += this.#slice) {
      const slice = trades.slice(start, start + this.#slice);
      this.#makeRoom(slice.length);
      for (const recorded of slice) this.#ring.append(recorded, through);
    }
    if (through) this.#ring.passOver(through);
    if (trades.length > 0) this.#wakeUp.ask();
  }

  /**
   * @throws {AppError} BAD_USER_INPUT for an impossible delivery; from next() DATABASE_UNAVAILABLE and the like, when what
   * the ring no longer holds cannot be read. The client comes back with its last position.
   */
  subscribe(request: TradeRequest): Stream<TradeBatch> {
    const subscriber = new TradeSubscriber(this.#companyOf(request), this.#home);
    subscriber.readAlone(new TradeReader(request, this.#ports, subscriber));
    if (subscriber.company) subscriber.company.subscribers += 1;
    this.#subscribers += 1;
    return subscriber.stream;
  }

  #left({ company }: TradeSubscriber): void {
    this.#subscribers -= 1;
    if (company === null) return;
    company.subscribers -= 1;
    if (company.subscribers === 0) this.#companies.delete(company.name);
  }

  /** As `subscribe`, for those of us who make something else of the trades and have to know whether they have seen all there is. */
  follow(
    request: TradeRequest,
  ): Pick<TradeReader, 'position' | 'isCaughtUpAt'> & { readonly stream: TradeSubscriber['stream'] } {
    const subscriber = new TradeSubscriber(null, {
      alone: this.#alone,
      left: () => {
        this.#followers -= 1;
      },
    });
    const reader = new TradeReader(request, this.#ports, subscriber);
    subscriber.readAlone(reader);
    this.#followers += 1;
    return {
      stream: subscriber.stream,
      get position() {
        return reader.position;
      },
      isCaughtUpAt: (position) => reader.isCaughtUpAt(position),
    };
  }

  /** Null for a request that has a pace of its own. */
  #companyOf({ filter, delivery }: TradeRequest): Company | null {
    if (delivery.mode !== 'LOSSLESS' || delivery.maxBatchMs !== 0 || delivery.maxPerSecond !== null) return null;
    const { exchange, symbols, side, minSize } = filter;
    const name = JSON.stringify([exchange || null, symbols ?? null, side || null, minSize || null]);
    const company = this.#companies.get(name) ?? new Company(name, () => this.#wakeUp.ask());
    this.#companies.set(name, company);
    return company;
  }

  /** A gap was found, shrank or was closed. Subscribers of its market are told of the first and the last of it. */
  gapChanged(gap: Gap): void {
    if (gap.dataType !== 'trade') return;
    const name = `${gap.exchange} ${gap.symbol} ${gap.first}`;
    if (gap.status !== 'GAP') this.#toldGaps.delete(name);
    else if (this.#toldGaps.has(name)) return;
    else this.#toldGaps.add(name);
    for (const reader of this.#readers()) reader.tellGap(gap);
    this.#wakeUp.ask();
  }

  /** Tells every subscriber that the server goes away. Repeating changes nothing. */
  drain(): void {
    for (const reader of this.#readers()) reader.drain();
    this.#wakeUp.ask();
  }

  /** Ends every subscription. */
  [Symbol.dispose](): void {
    const inCompany = this.#companies.values().flatMap(({ members }) => members);
    for (const { stream } of [...this.#alone, ...inCompany]) void stream.return();
    this.#alarm[Symbol.dispose]();
  }

  #makeRoom(count: number): void {
    const floor = this.#ring.head + count - this.#ring.capacity;
    if (floor <= this.#ring.floor) return;
    const sweepTo = Math.min(this.#ring.head, floor + this.#slice);
    for (const reader of this.#readers()) reader.makeRoom(floor, sweepTo);
  }

  *#readers(): Generator<TradeReader, void, undefined> {
    for (const { reader } of this.#companies.values()) if (reader) yield reader;
    for (const { reader } of this.#alone) if (reader) yield reader;
  }

  /** Companies first: whoever is by himself reads up to where they are, to join them there. */
  *#round(): Generator<undefined, void, undefined> {
    for (const company of this.#companies.values()) yield* company.round();
    yield* wakeEach(this.#alone);
  }
}
