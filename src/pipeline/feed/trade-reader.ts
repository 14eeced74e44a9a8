import type { Gap } from '../../market/gap-ledger.ts';
import type { RecordedTrade } from '../../market/recorded-trade.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Position } from '../../storage/trades.ts';
import type { Alarm } from '../stream/alarm.ts';
import { Pace } from '../stream/delivery.ts';
import type { Notice } from '../stream/notice.ts';
import { NewestTrades } from './newest-trades.ts';
import { marketMatcher, tradeMatcher } from './trade-filter.ts';
import type { StreamPhase, TradeBatch, TradeHistory, TradeRequest } from './trade-request.ts';
import type { TradeRing } from './trade-ring.ts';

/** Most trades of one batch, unless it is conflated: then it has one an instrument. */
const MAX_BATCH = 1_000;

/** Ring entries looked at in one turn of the event loop, about a quarter of a millisecond. */
const SCAN_LIMIT = 8_192;

/** A position that moved without a matching trade is told at most this often. */
const IDLE_MS = 1_000;

/** Notices that wait for a client which does not read; what goes is in the ledger. */
const MAX_NOTICES = 256;

/** Storage that has not yet stored what the ring has let go is asked again after this. */
const STORAGE_BEHIND_MS = 100;

/** What all readers of a feed share. */
export interface ReaderPorts {
  readonly ring: TradeRing;
  readonly history: TradeHistory;
  readonly clock: Clock;
  readonly alarm: Alarm;
}

/** Who pulls. */
export interface ReaderHost {
  /** There may be something to pull. */
  wake(): void;
  fail(error: unknown): void;
}

/** Where a reader begins. */
interface Start {
  /** In the ring; null: storage has to be asked. */
  readonly index: number | null;
  /** Never changed by the reader. */
  readonly position: Position;
}

type HistoryPage = Awaited<ReturnType<TradeHistory['tradesAfter']>>;

/** A place in the feed: a position, the filter, and at most one batch under way. Storage and ring meet in it, by sequence. */
export class TradeReader {
  /** Whoever it reads for. */
  host: ReaderHost;
  readonly #request: TradeRequest;
  readonly #ports: ReaderPorts;
  readonly #matches: (recorded: RecordedTrade) => boolean;
  readonly #pace: Pace;
  /** Of the next ring entry to look at; null while reading from storage. */
  #index: number | null;
  /** The very map of `#before` until it moves: that one has been given away. */
  #position: Map<number, bigint>;
  #before: Map<number, bigint>;
  #phase: StreamPhase;
  #trades: RecordedTrade[] = [];
  readonly #newest: NewestTrades | null;
  #notices: Notice[] = [];
  readonly #concerns: ReturnType<typeof marketMatcher>;
  /** The server goes away: to be told at once, then it was told. */
  #draining: 'no' | 'now' | 'told' = 'no';
  #missed = 0;
  #moved = false;
  #page: HistoryPage | null = null;
  #reading = false;
  #readAgainAt = Number.NEGATIVE_INFINITY;

  constructor(
    request: TradeRequest,
    ports: ReaderPorts,
    host: ReaderHost,
    start: Start = startOf(request, ports.ring),
  ) {
    const matches = tradeMatcher(request.filter);
    this.host = host;
    this.#request = request;
    this.#ports = ports;
    this.#matches = ({ trade }) => matches(trade);
    this.#concerns = marketMatcher(request.filter);
    this.#pace = new Pace(request.delivery, ports.clock.monotonic());
    this.#position = start.position as Map<number, bigint>;
    this.#before = this.#position;
    this.#index = start.index;
    this.#phase = start.index === null ? 'REPLAY' : 'LIVE';
    this.#newest = request.delivery.mode === 'CONFLATE' ? new NewestTrades() : null;
  }

  readonly #wake = (): void => this.host.wake();

  /** The next entry of the ring to look at; null while it reads from storage. */
  get place(): number | null {
    return this.#index;
  }

  /** Where the last batch led; at first where it began. */
  get position(): Position {
    return this.#before;
  }

  /** Whether whoever took in the batches up to a position, as they gave it, has seen all that matches and was published. */
  isCaughtUpAt(position: Position): boolean {
    const { ring } = this.#ports;
    if (position !== this.#before || this.#index === null || this.#index < ring.floor) return false;
    this.#scan(this.#index, ring.head);
    return this.#index === ring.head && this.#trades.length === 0;
  }

  /** Of a gap that changes again before the client reads it learns the last state. */
  tellGap(gap: Gap): void {
    if (!this.#concerns(gap)) return;
    const older = this.#notices.findIndex((one) => one.type === 'GAP' && isSameGap(one.gap, gap));
    if (older >= 0) this.#notices.splice(older, 1);
    if (this.#notices.length >= MAX_NOTICES) this.#notices.shift();
    this.#notices.push({ type: 'GAP', gap });
  }

  drain(): void {
    if (this.#draining !== 'no') return;
    this.#draining = 'now';
    this.#notices.push({ type: 'DRAINING' });
  }

  /**
   * Before the ring lets go of what is below `floor`: a mode that does not read it from storage later takes it in now, up to
   * `sweepTo`. So CONFLATE knows the newest and DROP_OLDEST the exact number however slow the client is.
   */
  makeRoom(floor: number, sweepTo: number): void {
    if (this.#index === null || this.#index >= floor || this.#request.delivery.mode === 'LOSSLESS') return;
    if (this.#index < this.#ports.ring.floor) return; // the ring was cut: storage has it
    this.#look(this.#index, sweepTo, (recorded) => {
      if (this.#newest) this.#newest.put(recorded);
      else this.#missed += 1;
      return true;
    });
  }

  /** What there is to say; a live reader looks no further than `end`. Null: nothing yet, then the host is woken when that may have changed. */
  pull(end = Number.POSITIVE_INFINITY): TradeBatch | null {
    if (this.isIdle && !this.#moved) return null;
    const now = this.#ports.clock.monotonic();
    if (this.#index === null || this.#index < this.#ports.ring.floor) this.#replay(now);
    const behind = this.#index !== null && this.#scan(this.#index, end);
    const due = this.#dueAt(now);
    if (due <= now) return this.#batch(now);
    if (due !== Number.POSITIVE_INFINITY) this.#ports.alarm.wakeBy(due, this.#wake);
    if (behind) setImmediate(this.#wake);
    return null;
  }

  /** Whether the next batch follows from the place in the ring alone. */
  get #isPlain(): boolean {
    return (
      this.#phase === 'LIVE' &&
      this.#index !== null &&
      this.#index >= this.#ports.ring.floor &&
      this.#trades.length === 0 &&
      this.#notices.length === 0 &&
      this.#missed === 0
    );
  }

  /** Whether there is nothing to say now but that the position moved. */
  get isIdle(): boolean {
    return this.#isPlain && this.#index === this.#ports.ring.head;
  }

  /** Whether nothing is waiting and both will be given the same from here on. */
  isBeside(other: TradeReader): boolean {
    if (!this.#isPlain || !other.#isPlain || this.#index !== other.#index) return false;
    if (this.#draining !== other.#draining) return false;
    if (this.#position === other.#position || isSamePosition(this.#position, other.#position)) return true;
    // Both have seen all there is; a difference is only in numbers that are empty, unless storage was ahead of the ring.
    const { ring } = this.#ports;
    return this.#index === ring.head && ring.holdsAll(this.#position) && ring.holdsAll(other.#position);
  }

  /** Another reader that begins with `batch`, the last one of this, which was pulled at `place`. */
  again(batch: TradeBatch, place: number | null, host: ReaderHost): TradeReader {
    const told = batch.notices.filter(({ type }) => type !== 'CAUGHT_UP');
    const wasLive = batch.phase === 'LIVE' && told.length === batch.notices.length; // or it catches up once more
    const start = { index: wasLive ? place : null, position: batch.before };
    const reader = new TradeReader(this.#request, this.#ports, host, start);
    reader.#draining = this.#draining;
    reader.#notices = told;
    for (const notice of this.#notices)
      if (notice.type === 'GAP') reader.tellGap(notice.gap);
      else reader.#notices.push(notice);
    return reader;
  }

  #advance(writer: number, sequence: bigint): void {
    if (this.#position === this.#before) this.#position = new Map(this.#before);
    this.#position.set(writer, sequence);
  }

  /** Goes on in the ring when it holds all that is unread, otherwise reads the next page from storage. */
  #replay(now: number): void {
    this.#index = null;
    this.#phase = 'REPLAY';
    const page = this.#page;
    this.#page = null;
    if (page) this.#takePage(page, now);
    if (this.#full) return;
    this.#index = this.#ports.ring.indexAfter(this.#position);
    if (this.#index !== null || this.#reading) return;
    if (now < this.#readAgainAt) this.#ports.alarm.wakeBy(this.#readAgainAt, this.#wake);
    else this.#read();
  }

  #takePage(page: HistoryPage, now: number): void {
    for (const recorded of page.trades) if (this.#matches(recorded)) this.#take(recorded);
    let advanced = false;
    for (const [writer, sequence] of page.position) {
      if (sequence <= (this.#position.get(writer) ?? 0n)) continue;
      this.#advance(writer, sequence);
      advanced = true;
    }
    this.#moved ||= advanced;
    if (page.done && !advanced) this.#readAgainAt = now + STORAGE_BEHIND_MS;
  }

  #read(): void {
    const { exchange = null, symbols = null } = this.#request.filter;
    this.#reading = true;
    this.#ports.history
      .tradesAfter(new Map(this.#position), { exchange, symbols }, MAX_BATCH - this.#trades.length)
      .then(
        (page) => {
          this.#page = page;
          this.#reading = false;
          this.host.wake();
        },
        (error: unknown) => this.host.fail(error),
      );
  }

  /** True when the ring holds more than one turn may look at. */
  #scan(from: number, end: number): boolean {
    if (this.#full) return false;
    // Who catches up is done when there is no more.
    const head = this.#phase === 'LIVE' ? Math.min(this.#ports.ring.head, end) : this.#ports.ring.head;
    const index = this.#look(from, Math.min(head, from + SCAN_LIMIT), (recorded) => {
      this.#take(recorded);
      return !this.#full;
    });
    if (index === head && this.#phase === 'REPLAY') {
      this.#phase = 'LIVE';
      this.#notices.push({ type: 'CAUGHT_UP' });
    }
    return index < head && !this.#full;
  }

  /** Shows what matches from index `from` up to `to`, or until `show` has enough, and stands behind it. */
  #look(from: number, to: number, show: (recorded: RecordedTrade) => boolean): number {
    const { ring } = this.#ports;
    let index = from;
    let writer = Number.NaN;
    let sequence = 0n;
    for (let more = true; more && index < to; index += 1) {
      const recorded = ring.at(index);
      if (recorded.writer !== writer) {
        if (index > from) this.#advance(writer, sequence);
        writer = recorded.writer;
        sequence = this.#position.get(writer) ?? 0n;
      }
      if (recorded.sequence <= sequence) continue; // storage was read further than the ring had come
      sequence = recorded.sequence;
      if (this.#matches(recorded)) more = show(recorded);
    }
    if (index > from) {
      this.#advance(writer, sequence);
      this.#moved = true;
    }
    this.#index = index;
    return index;
  }

  #take(recorded: RecordedTrade): void {
    if (this.#newest) this.#newest.put(recorded);
    else this.#trades.push(recorded);
  }

  get #full(): boolean {
    return this.#trades.length >= MAX_BATCH;
  }

  /** When the next payload is due by what there is now; Infinity when there is nothing to say. */
  #dueAt(now: number): number {
    return this.#draining === 'now' ? now : Math.max(this.#pace.earliest, this.#readyAt(now));
  }

  #readyAt(now: number): number {
    if (this.#full || this.#missed > 0 || this.#notices.length > 0) return now;
    const idle = this.#pace.lastSent + IDLE_MS;
    if ((this.#newest ?? { size: this.#trades.length }).size === 0)
      return this.#moved ? idle : Number.POSITIVE_INFINITY;
    if (this.#phase === 'LIVE') return this.#pace.companyUntil(now);
    return this.#newest ? idle : now; // a conflated replay goes over as much as it can between two payloads
  }

  #batch(now: number): TradeBatch {
    const conflated = this.#newest?.conflated ?? 0;
    const trades = this.#newest?.take() ?? this.#trades;
    const notices: readonly Notice[] =
      this.#missed > 0 ? [{ type: 'LAGGED', missed: this.#missed }, ...this.#notices] : this.#notices;
    const before = this.#before;
    this.#before = this.#position;
    this.#trades = [];
    this.#notices = [];
    if (this.#draining === 'now') this.#draining = 'told';
    this.#missed = 0;
    this.#moved = false;
    this.#pace.sent(now);
    return { trades, before, position: this.#before, phase: this.#phase, notices, conflated };
  }

  /** Nothing is pulled any more. */
  close(): void {
    this.#ports.alarm.cancel(this.#wake);
    this.#trades = [];
    this.#page = null;
  }
}

const startOf = ({ after }: TradeRequest, ring: TradeRing): Start =>
  after ? { index: null, position: new Map(after) } : { index: ring.head, position: ring.position };

const isSamePosition = (a: Position, b: Position): boolean => {
  if (a.size !== b.size) return false;
  for (const [writer, sequence] of a) if (b.get(writer) !== sequence) return false;
  return true;
};

const isSameGap = (a: Gap, b: Gap): boolean =>
  a.first === b.first && a.symbol === b.symbol && a.exchange === b.exchange && a.foundAt === b.foundAt;
