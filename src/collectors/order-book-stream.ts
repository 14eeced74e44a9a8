import type { BookChange, ExchangeAdapter } from '../exchanges/adapter.ts';
import type { BookValidity, OrderBook } from '../market/market-event.ts';
import { BookSides } from '../market/order-book.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { backoffMs } from './pacing/backoff.ts';

type Snapshot = BookChange & { readonly type: 'snapshot' };
type Delta = BookChange & { readonly type: 'delta' };

export interface OrderBookStreamOptions {
  readonly exchange: string;
  readonly symbol: string;
  readonly adapter: Pick<ExchangeAdapter, 'bookRecovery' | 'bookChecksum'>;
  readonly clock: Clock;
  readonly random: Random;
  /** By REST; rejects when it cannot be had. */
  fetchSnapshot(signal: AbortSignal): Promise<Snapshot>;
  /** Asks the exchange for the channel again, which brings a new snapshot. */
  resubscribe(): void;
  publish(book: OrderBook): void;
  /** The book broke or could not be seeded, and why. */
  trouble(reason: string, detail: string): void;
}

/** Levels a published book holds at most; no subscription may ask for more. */
export const PUBLISHED_LEVELS = 400;
/** Deltas kept while a snapshot is on its way: well over a minute of them. */
const BUFFER_LIMIT = 1_000;
/** A snapshot on the stream itself comes at once; after this long it is fetched. */
const STREAM_SNAPSHOT_WAIT_MS = 2_000;
const RETRY_CAP_MS = 10_000;

/**
 * Builds one order book from snapshots and deltas and never calls a broken one VALID: a delta whose `previous` is not
 * the book's sequence, a wrong checksum or crossed sides empty the book until a new snapshot bridges.
 */
export class OrderBookStream implements Disposable {
  readonly #options: OrderBookStreamOptions;
  readonly #sides = new BookSides();
  #validity: BookValidity = 'RESYNCING';
  #sequence: number | null = null;
  #previous: number | null = null;
  /** After a REST snapshot the next delta may begin before it. */
  #bridging = false;
  #buffer: Delta[] = [];
  #seeding: AbortController | null = null;
  #breaks = 0;
  #last: BookChange | null = null;
  #isOld = false;
  /** The last change named the one before it. */
  #chained = false;

  constructor(options: OrderBookStreamOptions) {
    this.#options = options;
  }

  accept(change: BookChange): void {
    this.#last = change;
    this.#isOld = false;
    if (change.type === 'snapshot') this.#seed(change, false);
    else if (this.#validity === 'VALID') this.#follow(change);
    else this.#keep(change);
  }

  /** The socket is gone: what is known grows old until a new snapshot comes. */
  lost(): void {
    this.#stopSeeding();
    this.#buffer = [];
    if (this.#validity !== 'VALID') return;
    this.#validity = 'STALE';
    this.#chained = false;
    this.#publish();
  }

  /** No frame for too long. The chain is not broken: the next frame that continues it makes the book VALID again. */
  growOld(): void {
    if (this.#validity !== 'VALID' || this.#isOld) return;
    this.#isOld = true;
    this.#publish();
  }

  [Symbol.dispose](): void {
    this.lost();
  }

  #seed(snapshot: Snapshot, bridging: boolean): void {
    this.#stopSeeding();
    this.#sides.replace(snapshot.bids, snapshot.asks);
    this.#sequence = snapshot.sequence;
    this.#previous = null;
    this.#bridging = bridging;
    this.#validity = 'VALID';
    this.#chained = false;
    if (this.#holds(snapshot)) this.#publish();
  }

  #follow(delta: Delta): void {
    const { previous, sequence } = delta;
    const last = this.#sequence;
    if (previous !== null && sequence !== null && last !== null) {
      const repeated = sequence === last && previous === this.#previous;
      const older =
        sequence <= last &&
        previous < last &&
        (this.#bridging || this.#options.adapter.bookRecovery === 'rest-snapshot');
      if (repeated || older) return;
      const chained = this.#bridging ? previous <= last : previous === last;
      if (!chained) return this.#break('sequence-gap', `the book is at ${last}, the next change follows ${previous}`);
    }
    this.#bridging = false;
    this.#chained = previous !== null && sequence !== null && last !== null;
    this.#sides.apply(delta.bids, delta.asks);
    this.#previous = previous;
    this.#sequence = sequence;
    if (this.#holds(delta)) {
      this.#breaks = 0;
      this.#publish();
    }
  }

  /** Whether the book after a change is sound; a broken one is dropped. */
  #holds(change: BookChange): boolean {
    const { bookChecksum } = this.#options.adapter;
    if (change.checksum !== null && bookChecksum) {
      const { bids, asks } = this.#sides.top(25);
      if (bookChecksum(bids, asks) !== change.checksum) {
        this.#break('checksum', `the checksum of the book is not ${change.checksum}`);
        return false;
      }
    }
    if (!this.#sides.crossed) return true;
    this.#break('crossed', 'the best bid is not below the best ask');
    return false;
  }

  #break(reason: string, detail: string): void {
    const { adapter, clock, random, resubscribe, trouble } = this.#options;
    trouble(`book-${reason}`, detail);
    this.#sides.clear();
    this.#sequence = null;
    this.#validity = 'RESYNCING';
    this.#chained = false;
    this.#publish();
    if (adapter.bookRecovery === 'rest-snapshot')
      return this.#startSeeding(backoffMs(this.#breaks++, RETRY_CAP_MS, random));
    const seeding = new AbortController();
    this.#seeding = seeding;
    const wait = this.#breaks === 0 ? 0 : backoffMs(this.#breaks, RETRY_CAP_MS, random);
    this.#breaks += 1;
    clock.sleep(wait, seeding.signal).then(
      () => {
        this.#seeding = null;
        resubscribe();
      },
      () => undefined, // a snapshot came first
    );
  }

  #keep(delta: Delta): void {
    this.#buffer.push(delta);
    if (this.#buffer.length > BUFFER_LIMIT) this.#buffer.shift();
    if (this.#seeding) return;
    const { bookRecovery } = this.#options.adapter;
    this.#startSeeding(bookRecovery === 'resubscribe' ? STREAM_SNAPSHOT_WAIT_MS : 0);
  }

  #startSeeding(waitMs: number): void {
    this.#stopSeeding();
    const seeding = new AbortController();
    this.#seeding = seeding;
    void this.#fetchAndBridge(waitMs, seeding.signal);
  }

  #stopSeeding(): void {
    this.#seeding?.abort();
    this.#seeding = null;
  }

  async #fetchAndBridge(waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock, random, fetchSnapshot, trouble } = this.#options;
    for (let attempt = 0, wait = waitMs; !signal.aborted; wait = backoffMs(++attempt, RETRY_CAP_MS, random)) {
      try {
        await clock.sleep(wait, signal);
        const snapshot = await fetchSnapshot(signal);
        if (signal.aborted) return;
        if (this.#bridges(snapshot)) return this.#bridge(snapshot);
      } catch (error) {
        if (!signal.aborted) trouble('book-snapshot', messageOf(error));
      }
    }
  }

  /** False when the snapshot is older than the first change we kept, so that some are missing between them. */
  #bridges(snapshot: Snapshot): boolean {
    const at = snapshot.sequence;
    if (at === null) return true;
    const next = this.#buffer.find((delta) => (delta.sequence ?? Number.POSITIVE_INFINITY) > at);
    return next === undefined || next.previous === null || next.previous <= at;
  }

  #bridge(snapshot: Snapshot): void {
    const kept = this.#buffer;
    this.#buffer = [];
    this.#seed(snapshot, true);
    for (const delta of kept) {
      if (this.#validity === 'VALID') this.#follow(delta);
      else this.#keep(delta);
    }
  }

  #publish(): void {
    const { exchange, symbol, clock, publish } = this.#options;
    const at = this.#last;
    const { bids, asks } = this.#sides.top(PUBLISHED_LEVELS);
    publish({
      kind: 'orderbook',
      exchange,
      symbol,
      exchangeTime: at?.exchangeTime ?? clock.now(),
      receivedAt: at?.receivedAt ?? clock.now(),
      raw: null,
      bids,
      asks,
      sequence: this.#sequence,
      validity: this.#isOld ? 'STALE' : this.#validity,
      chained: this.#chained && !this.#isOld,
    });
  }
}
