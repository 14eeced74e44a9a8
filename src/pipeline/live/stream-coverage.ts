import type { StreamKey, StreamTail } from '../../market/coverage.ts';
import type { OrderBook } from '../../market/market-event.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isRetryable, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { StreamStretch } from '../../storage/stream-coverage.ts';
import { StreamLedger, type Tail } from '../ledger/stream-ledger.ts';
import type { LiveEvent } from './live-event.ts';

/** How often the books of streams of which nothing is stored are written, ms. */
const BEAT_MS = 5_000;
/** Rows of one write of the books. */
const MAX_ROWS = 2_000;
const NOT_RUNNING = 'the server was not running';
const NO_ROOM = 'the database was away, and more samples came than could wait for it';
const REFUSED = 'the database refused the row';
const BROKE = 'the chain of the order book broke, and a new snapshot was awaited';

/** Stores samples and what they mean for the books of their streams, all or nothing. */
export type StoreSamples = (events: readonly LiveEvent[], tails: readonly StreamTail[]) => Promise<unknown>;

interface StreamCoveragePorts {
  readonly store: StoreSamples;
  readonly clock: Clock;
  readonly log: Log;
}

interface Books extends StreamKey {
  readonly ledger: StreamLedger;
  /** Samples that wait for the database. */
  waiting: number;
}

interface Part {
  readonly books: Books;
  readonly tail: Tail;
}

/**
 * The books of all streams without ids: when each was carried, and what is missing. Balances come for a whole account, so what is
 * said of a collector's balances is meant of every currency of its exchange.
 */
export class StreamCoverage {
  readonly #ports: StreamCoveragePorts;
  readonly #streams = new Map<string, Books>();
  /** Of each exchange, the symbols whose collectors ask for balances, and those of them that are carried. */
  readonly #accounts = new Map<string, { readonly asked: Set<string>; readonly carried: Set<string> }>();
  /** Order books somebody asks for. */
  readonly #askedBooks = new Set<string>();
  readonly #timer: Disposable;
  #turn: Promise<unknown> = Promise.resolve();
  #isBeating = false;

  /** `ends`: what was said last of each stream, by whomever. */
  constructor(ports: StreamCoveragePorts, ends: readonly StreamStretch[]) {
    this.#ports = ports;
    for (const { stretch, ...stream } of ends) this.#open(stream, new StreamLedger(stretch));
    this.#timer = ports.clock.every(BEAT_MS, () => void this.#beat());
  }

  /** It was collected, nobody said to stop that, and nobody does it now: since then it is missing. */
  expected(stream: StreamKey): void {
    if (stream.dataType === 'trade') return;
    if (stream.dataType === 'balance') this.#account(stream.exchange).asked.add(stream.symbol);
    for (const { ledger } of this.#meant(stream)) ledger.absent(NOT_RUNNING, this.#ports.clock.now());
  }

  /** It is carried from `at`, wall ms, on. A book counts only from the first whole one on. */
  carried(stream: StreamKey, at: number): void {
    if (stream.dataType === 'trade') return;
    if (stream.dataType === 'orderbook') {
      this.#askedBooks.add(nameOf(stream));
      return;
    }
    if (stream.dataType === 'balance') {
      const account = this.#account(stream.exchange);
      account.asked.add(stream.symbol);
      account.carried.add(stream.symbol);
    }
    for (const { ledger } of this.#meant(stream)) ledger.connected(at);
  }

  /** Nothing carries it any more, though it is asked for. `at`, wall ms: the last moment at which something was known to. */
  lost(stream: StreamKey, at: number, cause: string): void {
    if (stream.dataType === 'trade') return;
    if (stream.dataType === 'balance') {
      const { carried } = this.#account(stream.exchange);
      carried.delete(stream.symbol);
      if (carried.size > 0) return;
    }
    for (const { ledger } of this.#meant(stream)) ledger.lost(at, cause, this.#ports.clock.now());
  }

  /** Nobody asks for it any more: of the time from now on nothing is said. */
  ended(stream: StreamKey): void {
    if (stream.dataType === 'trade') return;
    if (stream.dataType === 'balance') {
      const { asked, carried } = this.#account(stream.exchange);
      asked.delete(stream.symbol);
      carried.delete(stream.symbol);
      if (asked.size > 0) return;
    }
    this.#askedBooks.delete(nameOf(stream));
    for (const { ledger } of this.#meant(stream)) ledger.ended(this.#ports.clock.now());
  }

  /** An event came, whether or not it is stored. */
  saw(event: LiveEvent): void {
    if (event.kind === 'orderbook') this.#sawBook(event);
    else if (event.kind === 'balance' && this.#account(event.exchange).carried.size > 0)
      this.#books(event).ledger.connected(event.receivedAt);
  }

  /** An event waits for its turn in `write`, or for `abandoned`. */
  queued(event: LiveEvent): void {
    this.#books(event).waiting += 1;
  }

  /** It will never be stored. */
  abandoned(event: LiveEvent, why: 'dropped' | 'refused'): void {
    const books = this.#books(event);
    books.waiting -= 1;
    books.ledger.lose(event.receivedAt, why === 'dropped' ? NO_ROOM : REFUSED, this.#ports.clock.now());
  }

  /** Stores events that were queued, and the books of their streams up to the newest of them. */
  write(events: readonly LiveEvent[]): Promise<void> {
    return this.#inTurn(() => this.#write(events));
  }

  /** Writes what is known by now, within the deadline; not of streams of which samples were left. */
  async stop(deadlineMs: number): Promise<void> {
    this.#timer[Symbol.dispose]();
    const inTime = new AbortController();
    const deadline = this.#ports.clock.sleep(deadlineMs, inTime.signal).catch(() => {});
    await Promise.race([this.#bringUpToDate(), deadline]);
    inTime.abort();
  }

  #sawBook(book: OrderBook): void {
    if (!this.#askedBooks.has(nameOf({ ...book, dataType: book.kind }))) return; // the last of a stream that has ended
    const { ledger } = this.#books(book);
    const { validity, chained, receivedAt } = book;
    if (validity === 'RESYNCING') ledger.broken(receivedAt, BROKE, this.#ports.clock.now());
    else if (chained) ledger.chained(receivedAt);
    else if (validity === 'VALID') ledger.seeded(receivedAt);
  }

  async #beat(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    await this.#bringUpToDate();
    this.#isBeating = false;
  }

  /** What cannot be written is written the next time; that the database is away is told by the samples' queue. */
  async #bringUpToDate(): Promise<void> {
    const now = this.#ports.clock.now();
    for (const { ledger, waiting } of this.#streams.values()) if (waiting === 0) ledger.reach(now);
    try {
      await this.#inTurn(() => this.#writeBooks());
    } catch (error) {
      if (!isRetryable(error))
        this.#ports.log.error('The coverage of streams could not be written', { reason: messageOf(error) });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #writeBooks(): Promise<void> {
    const changed = [...this.#streams.values()].filter(({ waiting }) => waiting === 0);
    while (changed.length > 0) {
      const parts: Part[] = [];
      for (let rows = 0; changed.length > 0 && rows < MAX_ROWS; ) {
        const books = changed.shift() as Books;
        const tail = books.ledger.take();
        if (!tail) continue;
        parts.push({ books, tail });
        rows += tail.stretches.length;
      }
      if (parts.length > 0) await this.#storeBooks(parts);
    }
  }

  /** Books the database never takes hold up nobody else's. */
  async #storeBooks(parts: readonly Part[]): Promise<void> {
    try {
      await this.#store([], parts);
    } catch (error) {
      if (isRetryable(error) || parts.length === 1) throw error;
      for (const { books } of parts) {
        const tail = books.ledger.take();
        if (tail) await this.#store([], [{ books, tail }]).catch((own: unknown) => this.#complain(books, own));
      }
    }
  }

  #complain({ exchange, symbol, dataType }: StreamKey, error: unknown): void {
    const reason = messageOf(error);
    this.#ports.log.error('The coverage of a stream could not be written', { exchange, symbol, dataType, reason });
  }

  async #write(events: readonly LiveEvent[]): Promise<void> {
    const counted = Map.groupBy(events, (event) => this.#books(event));
    const parts: Part[] = [];
    for (const [books, own] of counted) {
      const newest = own.reduce((time, { receivedAt }) => Math.max(time, receivedAt), 0);
      books.ledger.reach(newest);
      for (const { receivedAt } of own) books.ledger.count(receivedAt, 1);
      const tail = books.ledger.take(books.waiting > own.length ? newest : Number.POSITIVE_INFINITY);
      if (tail) parts.push({ books, tail });
    }
    try {
      await this.#store(events, parts);
    } catch (error) {
      // A lone sample is not given up for what its books say.
      const [first] = parts;
      if (!isRetryable(error) && events.length === 1 && first && (await this.#storeAlone(events))) {
        this.#complain(first.books, error);
        first.books.waiting -= 1;
        return;
      }
      for (const [{ ledger }, own] of counted) for (const { receivedAt } of own) ledger.count(receivedAt, -1);
      throw error;
    }
    for (const [books, own] of counted) books.waiting -= own.length;
  }

  async #storeAlone(events: readonly LiveEvent[]): Promise<boolean> {
    return this.#ports.store(events, []).then(
      () => true,
      () => false,
    );
  }

  async #store(events: readonly LiveEvent[], parts: readonly Part[]): Promise<void> {
    try {
      await this.#ports.store(
        events,
        parts.map(({ books: { exchange, symbol, dataType }, tail }) => ({ exchange, symbol, dataType, ...tail })),
      );
    } catch (error) {
      for (const { books, tail } of parts) books.ledger.failed(tail);
      throw error;
    }
    for (const { books } of parts) books.ledger.saved();
  }

  #meant({ exchange, symbol, dataType }: StreamKey): readonly Books[] {
    if (dataType !== 'balance') return [this.#find({ exchange, symbol, dataType })];
    return [...this.#streams.values()].filter((books) => books.exchange === exchange && books.dataType === dataType);
  }

  #books({ exchange, symbol, kind: dataType }: LiveEvent): Books {
    return this.#find({ exchange, symbol, dataType });
  }

  #find(stream: StreamKey): Books {
    return this.#streams.get(nameOf(stream)) ?? this.#open(stream, new StreamLedger(null));
  }

  #open(stream: StreamKey, ledger: StreamLedger): Books {
    const books = { ...stream, ledger, waiting: 0 };
    this.#streams.set(nameOf(stream), books);
    return books;
  }

  #account(exchange: string) {
    const known = this.#accounts.get(exchange) ?? { asked: new Set<string>(), carried: new Set<string>() };
    this.#accounts.set(exchange, known);
    return known;
  }
}

const nameOf = ({ exchange, symbol, dataType }: StreamKey): string => `${exchange}:${symbol} ${dataType}`;
