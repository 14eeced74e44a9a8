import { setImmediate as turn } from 'node:timers/promises';
import type { MarketStretch } from '../market/coverage.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import { crashPoint } from '../runtime/crash-point.ts';
import { AppError, isRetryable, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { isOfTheRow } from '../storage/database-errors.ts';
import type { NumberedTrade, TradeCommit } from '../storage/trade-writer.ts';
import { foldItem, type HasTradeIds, idsOf } from './fold-trades.ts';
import { type LedgerWord, type SpoolBatch, type SpoolItem, tradesOf } from './spool-batch.ts';
import { everyRow, READ_ROWS, readBatch } from './spooled-batches.ts';
import type { SpoolPort } from './trade-intake.ts';
import { TradeLedgers } from './trade-ledgers.ts';

/**
 * Where trades and their ledger are committed. Errors whose code says `retry` mean that the same may be committed later; any other
 * says that a row never will be, and must not be thrown for a database that is merely away, full or read-only.
 */
export interface TradeStore {
  readonly writer: number;
  readonly position: bigint;
  write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }>;
  /** Makes ahead what `write` will send of these trades, the very list; whatever fails, `write` meets it again. */
  prepare(trades: readonly NumberedTrade[]): Promise<void>;
  /** What the ledger says in the database. */
  load(): Promise<readonly MarketStretch[]>;
  /** Keeps a row that cannot be stored, for people. */
  quarantine(row: { readonly what: string; readonly reason: string; readonly row: string }): Promise<void>;
}

export interface DrainPorts {
  readonly spool: SpoolPort;
  readonly store: TradeStore;
  readonly hasTradeIds: HasTradeIds;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `through`: there is no other trade of ours up to this number; null where that follows from the numbers themselves. */
  publish(trades: readonly RecordedTrade[], through: bigint | null): void;
  /** Whether another server writes to the same database: then only what was committed as ours may be shown. */
  shared(): boolean;
  /** A row was refused for good: the ids it stands for are missing. False: it was not heard and has to be said again. */
  refused(word: LedgerWord): boolean;
  /** What intake takes for known is no longer so: it shall begin anew from what `build` gives. */
  rebase(build: () => Promise<TradeLedgers>): void;
}

/** A row that storage will never take. */
export interface RefusedRow {
  readonly what: string;
  readonly reason: string;
  /** ms since the Unix epoch. */
  readonly at: number;
}

export interface DrainStatus {
  /** Durable here and not committed yet. */
  readonly spooled: number;
  /** Batches of them, and of words about trades. */
  readonly batches: number;
  /** Since the oldest of them was recorded, ms; null when there is none. */
  readonly oldestMs: number | null;
  readonly stored: number;
  readonly refused: number;
  readonly refusedSample: readonly RefusedRow[];
  readonly commitMs: { readonly last: number; readonly average: number } | null;
  /** Null while the database takes what it is given; else since when (monotonic ms) it does not. */
  readonly waitingSince: number | null;
  readonly lastError: { readonly message: string; readonly at: number } | null;
}

/** Trades held in memory for the database; what comes after them is read back from the spool. */
const MAX_HELD = 65_536;
/** A committed batch stays in the spool this long: a database that fails over may lose its last seconds. */
const KEEP_MS = 30_000;
const DISCARD_EVERY_MS = 1_000;
/** Longest wait between two tries, ms: short enough that a returning database drains within seconds. */
const MAX_BACKOFF_MS = 2_000;
const REFUSED_KEPT = 20;

/** A batch an earlier process left in the spool. */
export interface LeftBatch {
  readonly number: number;
  readonly trades: number;
  /** When the first of them was recorded, ms; null without trades. */
  readonly recordedAt: number | null;
}

interface Held {
  readonly batch: SpoolBatch;
  readonly since: number;
}

/** Batches that are committed together. */
interface Group {
  readonly batches: readonly SpoolBatch[];
  readonly end: SpoolBatch;
  /** Whether the next batch would have been too much. */
  readonly isFull: boolean;
}

/** A group taken into the ledgers. */
interface Folded {
  readonly items: readonly SpoolItem[];
  readonly commit: TradeCommit;
}

/** The next group, made while the commit before it is under way. Good only from that commit's end on. */
interface Ahead extends Folded {
  readonly group: Group;
  readonly position: bigint;
}

/**
 * From the spool to the database, in order, one commit in flight, for ever repeated while the database is away. While one is in flight the
 * next is made ready, and thrown away should the first not go as expected.
 */
export class TradeDrain {
  readonly #ports: DrainPorts;
  readonly #maxRows: number;
  readonly #abandon = new AbortController();
  readonly #timer: Disposable;
  #ledgers: TradeLedgers;
  #isStale = false;
  #ahead: Ahead | null = null;
  #held: Held[] = [];
  #heldTrades = 0;
  /** Number of the last batch that was committed, published, and that is in the spool. */
  #committed: number;
  #published: number;
  #spooledNumber: number;
  /** Trades in the spool that are not committed. */
  #spooled = 0;
  #oldestAt: number | null = null;
  readonly #kept: { readonly number: number; readonly at: number }[] = [];
  #idle: PromiseWithResolvers<void> | null = null;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();
  #stored = 0;
  #refused = 0;
  readonly #refusedSample: RefusedRow[] = [];
  /** Of refused rows, not heard yet. */
  #unheard: LedgerWord[] = [];
  #commitMs: DrainStatus['commitMs'] = null;
  #waitingSince: number | null = null;
  #lastError: DrainStatus['lastError'] = null;

  /** `ledgers`: as in the database. `number`: of the last batch that is committed. */
  constructor(
    ports: DrainPorts,
    options: { readonly ledgers: TradeLedgers; readonly number: number; readonly maxRows: number },
  ) {
    this.#ports = ports;
    this.#maxRows = options.maxRows;
    this.#ledgers = options.ledgers;
    this.#committed = options.number;
    this.#published = options.number;
    this.#spooledNumber = options.number;
    this.#timer = ports.clock.every(DISCARD_EVERY_MS, () => void this.#discard());
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Takes over a durable batch; they come in order. Shows it at once, unless it has to wait for its commit. */
  take(batch: SpoolBatch): void {
    const trades = tradesOf(batch.items);
    this.#spooledNumber = batch.number;
    this.#spooled += trades.length;
    const since = this.#monotonic(trades[0]?.recordedAt ?? null);
    this.#oldestAt ??= since;
    if (!this.#ports.shared() && this.#published === batch.number - 1) {
      this.#published = batch.number;
      this.#ports.publish(trades, null);
      crashPoint('after-publish');
    }
    const last = this.#held.at(-1)?.batch.number ?? this.#committed; // else it is behind what waits in the spool
    if (last === batch.number - 1 && this.#heldTrades < MAX_HELD) {
      this.#held.push({ batch, since });
      this.#heldTrades += trades.length;
    }
    this.#idle?.resolve();
    this.#idle = null;
  }

  /** It is read back when its turn comes. `shown`: its trades are out already. */
  adopt({ number, trades, recordedAt }: LeftBatch, shown: boolean): void {
    this.#spooledNumber = number;
    if (shown) this.#published = number;
    this.#spooled += trades;
    this.#oldestAt ??= this.#monotonic(recordedAt);
  }

  /** Whether every batch that was taken over has been shown. */
  get isShown(): boolean {
    return this.#published === this.#spooledNumber;
  }

  /** Number of the last batch that was taken over, and of the last one that is committed. */
  get progress(): { readonly taken: number; readonly committed: number } {
    return { taken: this.#spooledNumber, committed: this.#committed };
  }

  status(): DrainStatus {
    const { clock } = this.#ports;
    return {
      spooled: this.#spooled,
      batches: this.#spooledNumber - this.#committed,
      oldestMs: this.#spooled === 0 || this.#oldestAt === null ? null : clock.monotonic() - this.#oldestAt,
      stored: this.#stored,
      refused: this.#refused,
      refusedSample: [...this.#refusedSample],
      commitMs: this.#commitMs,
      waitingSince: this.#waitingSince,
      lastError: this.#lastError,
    };
  }

  /** Commits what is spooled; gives up after `deadlineMs` and returns how many trades stay in the spool for the next start. */
  async stop(deadlineMs: number): Promise<number> {
    this.#stopping = true;
    this.#idle?.resolve();
    const inTime = new AbortController();
    const deadline = this.#ports.clock.sleep(deadlineMs, inTime.signal).catch(() => {});
    await Promise.race([this.#running, deadline]);
    inTime.abort();
    this.#abandon.abort(new AppError('DATABASE_UNAVAILABLE', 'The deadline for storing the last rows has passed'));
    await this.#running;
    this.#timer[Symbol.dispose]();
    if (this.#committed === this.#spooledNumber) await this.#ports.spool.discard(this.#committed);
    return this.#spooled;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#abandon.signal.aborted; ) {
      if (this.#committed === this.#spooledNumber) {
        if (this.#stopping) return;
        this.#idle = Promise.withResolvers();
        await this.#idle.promise;
        continue;
      }
      try {
        await this.#commit(await this.#next());
        attempt = 0;
      } catch (error) {
        if (error instanceof AppError && error.code === 'WRITER_BEHIND') await this.#rewind();
        else await this.#pause(error, attempt++);
      }
    }
  }

  /** The batches that are committed next, together: from memory, or read back from the spool. */
  async #next(): Promise<Group | null> {
    if (this.#ahead) return this.#ahead.group;
    if (this.#held[0]?.batch.number !== this.#committed + 1) await this.#readBack();
    return this.#together(0);
  }

  /** What cannot be read is passed over: its trades are missing, which the ids after them tell. */
  async #readBack(): Promise<void> {
    const rows = await this.#ports.spool.read(this.#committed, READ_ROWS);
    const firstHeld = this.#held[0]?.batch.number ?? Number.POSITIVE_INFINITY;
    const batches = rows.filter(({ number }) => number < firstHeld).map((row) => this.#read(row));
    const read = batches.map((batch) => ({ batch, trades: tradesOf(batch.items) }));
    for (const { trades } of read) this.#heldTrades += trades.length;
    this.#held.unshift(
      ...read.map(({ batch, trades }) => ({ batch, since: this.#monotonic(trades[0]?.recordedAt ?? null) })),
    );
    if (this.#held.length === 0) this.#committed = this.#spooledNumber;
  }

  /** What goes together from the batch with this index in memory on; null without any. */
  #together(from: number): Group | null {
    const batches: SpoolBatch[] = [];
    let rows = 0;
    for (let at = from; at < this.#held.length && rows <= this.#maxRows; at += 1) {
      const batch = this.#held[at]?.batch;
      if (batch === undefined) break;
      rows += batch.items.length;
      if (batches.length === 0 || rows <= this.#maxRows) batches.push(batch);
    }
    const end = batches.at(-1);
    return end ? { batches, end, isFull: rows > this.#maxRows } : null;
  }

  async #commit(group: Group | null): Promise<void> {
    if (group === null) return;
    const { store, clock } = this.#ports;
    const { batches, end } = group;
    const folded = this.#takeAhead();
    const items = folded?.items ?? freshOf(batches, store.position);
    const startedAt = clock.monotonic();
    const writing = folded ? this.#write(folded) : this.#store(items, end.last);
    const next = this.#nextAfter(group);
    const making = next && this.#makeAhead(next, end.last);
    try {
      const leftOut = await writing;
      this.#noteCommit(tradesOf(items).length, clock.monotonic() - startedAt);
      this.#tellRefused();
      if (end.number > this.#published) {
        const unseen = batches.filter(({ number }) => number > this.#published);
        this.#published = end.number;
        this.#ports.publish(
          tradesOf(unseen.flatMap((batch) => batch.items)).filter(({ sequence }) => !leftOut.has(sequence)),
          end.last,
        );
      }
      this.#release(batches, end);
    } catch (error) {
      await making;
      if (this.#ahead) this.#dropAhead();
      throw error;
    }
    if (making) await making;
  }

  /** The group after this one, if it is full: what comes until its turn shall go with it otherwise. */
  #nextAfter({ batches }: Group): Group | null {
    const next = this.#held[0]?.batch === batches[0] ? this.#together(batches.length) : null;
    return next?.isFull ? next : null;
  }

  /** Takes a group into the ledgers behind what is being committed up to `last`, and makes what will be sent. Never throws. */
  async #makeAhead(group: Group, last: bigint): Promise<void> {
    const { store } = this.#ports;
    const position = last > store.position ? last : store.position;
    const ledgers = this.#ledgers;
    await turn(); // the commit goes out first
    if (this.#isStale || this.#ledgers !== ledgers) return; // it went otherwise
    try {
      this.#ahead = { ...this.#fold(freshOf(group.batches, position), group.end.last), group, position };
    } catch {
      this.#dropAhead(); // its turn meets the same, and tells
      return;
    }
    const { trades } = this.#ahead.commit;
    await turn();
    await store.prepare(trades).catch(() => {}); // `write` meets the same, and tells
  }

  #takeAhead(): Folded | null {
    const ahead = this.#ahead;
    if (ahead !== null && ahead.position !== this.#ports.store.position) this.#dropAhead();
    const folded = this.#ahead;
    this.#ahead = null;
    return folded;
  }

  /** The ledgers hold what will not be committed as it was folded. */
  #dropAhead(): void {
    this.#isStale = true;
    this.#ahead = null;
  }

  #fold(items: readonly SpoolItem[], last: bigint): Folded {
    for (const item of items) foldItem(this.#ledgers, item, this.#ports.hasTradeIds);
    return { items, commit: { trades: tradesOf(items), last, changes: this.#ledgers.takeChanges() } };
  }

  /** Commits items that belong together, taken into the ledgers as the database has them. */
  async #store(items: readonly SpoolItem[], last: bigint): Promise<ReadonlySet<bigint>> {
    if (this.#isStale) {
      this.#ledgers = new TradeLedgers(await this.#reload());
      this.#isStale = false;
    }
    return this.#write(this.#fold(items, last));
  }

  /** Rows the database does not take are found by halving and kept aside. */
  async #write({ items, commit }: Folded): Promise<ReadonlySet<bigint>> {
    const { store } = this.#ports;
    if (commit.trades.length === 0 && commit.changes.length === 0 && commit.last <= store.position) return new Set();
    for (let attempt = 0; ; attempt += 1) {
      try {
        crashPoint('before-commit');
        const { leftOut } = await store.write(commit);
        crashPoint('after-commit');
        return leftOut;
      } catch (error) {
        if (error instanceof AppError && error.code === 'WRITER_BEHIND') throw error;
        if (isRetryable(error) || !isOfTheRow(error)) {
          await this.#pause(error, attempt);
          if (this.#abandon.signal.aborted) throw error;
          continue;
        }
        this.#ahead = null;
        this.#isStale = true; // it holds what was not committed
        return this.#storeParts(items, commit.last, error);
      }
    }
  }

  async #storeParts(items: readonly SpoolItem[], last: bigint, error: unknown): Promise<ReadonlySet<bigint>> {
    const [only] = items;
    if (items.length === 1 && only?.kind === 'trade') {
      const word = await this.#refuse(only.recorded, error);
      return this.#store([word], last);
    }
    if (items.length <= 1) throw error; // a ledger the database does not take: nothing of ours may hide that
    const middle = items.length >> 1;
    const [before, after] = [items.slice(0, middle), items.slice(middle)];
    const first = await this.#store(before, tradesOf(before).at(-1)?.sequence ?? this.#ports.store.position);
    return new Set([...first, ...(await this.#store(after, last))]);
  }

  async #refuse(recorded: NumberedTrade, error: unknown): Promise<LedgerWord> {
    const { trade } = recorded;
    const what = `${trade.exchange}:${trade.symbol} trade ${trade.tradeId}`;
    const refused = { what, reason: messageOf(error), at: this.#ports.clock.now() };
    this.#refused += 1;
    this.#refusedSample.push(refused);
    if (this.#refusedSample.length > REFUSED_KEPT) this.#refusedSample.shift();
    this.#ports.log.error('The database refused a trade for good', { ...refused });
    await this.#ports.store
      .quarantine({ what, reason: refused.reason, row: JSON.stringify(trade) })
      .catch((failure: unknown) =>
        this.#ports.log.error('A refused row could not be kept aside', { what, reason: messageOf(failure) }),
      );
    const range = idsOf(trade, this.#ports.hasTradeIds) ?? { first: 0n, last: -1n };
    const { exchange, symbol } = trade;
    const word: LedgerWord = {
      ...{ kind: 'give-up', exchange, symbol, range, cause: 'the database refused the row', now: refused.at },
      wasTaken: true,
    };
    if (range.last >= range.first) this.#unheard.push(word);
    this.#tellRefused();
    return word;
  }

  #tellRefused(): void {
    while (this.#unheard[0] && this.#ports.refused(this.#unheard[0])) this.#unheard.shift();
  }

  /** The database lost what it had confirmed: what is still in the spool is committed again, the rest becomes a gap. */
  async #rewind(): Promise<void> {
    const { store, log, rebase } = this.#ports;
    const position = store.position;
    const stretches = await this.#reload();
    const retained = await this.#retained(position);
    log.error('The database lost commits; what the spool still holds is committed again', {
      position,
      trades: retained.trades,
      lost: retained.hasAll ? 0 : 'older ones too: they are fetched again where the exchange still has them',
    });
    this.#ledgers = new TradeLedgers(stretches);
    this.#held = [];
    this.#heldTrades = 0;
    this.#kept.splice(0);
    this.#spooled = retained.trades;
    this.#oldestAt = this.#monotonic(retained.recordedAt);
    this.#committed = retained.number - 1;
    if (!retained.hasAll) rebase(() => this.#rebuilt());
  }

  /**
   * The batches from a position on that the spool still has; one that ends there may hold words that are not committed. `hasAll`:
   * the trades that were lost are all there.
   */
  async #retained(position: bigint) {
    let number = this.#spooledNumber + 1;
    let trades = 0;
    let next: bigint | null = null;
    let recordedAt: number | null = null;
    for await (const batch of this.#everyBatch()) {
      if (batch.last < position) continue;
      const own = tradesOf(batch.items);
      number = Math.min(number, batch.number);
      trades += own.length;
      recordedAt ??= own[0]?.recordedAt ?? null;
      next ??= own.find(({ sequence }) => sequence > position)?.sequence ?? null;
    }
    return { number, trades, recordedAt, hasAll: next === position + 1n };
  }

  /** What is known, from the database and the spool alone. */
  async #rebuilt(): Promise<TradeLedgers> {
    const ledgers = new TradeLedgers(await this.#reload());
    for await (const batch of this.#everyBatch())
      for (const item of batch.items) foldItem(ledgers, item, this.#ports.hasTradeIds);
    ledgers.takeChanges();
    return ledgers;
  }

  /** The monotonic ms of a time on the wall, perhaps of an earlier process; null is now. */
  #monotonic(time: number | null): number {
    const { clock } = this.#ports;
    return clock.monotonic() - (time === null ? 0 : Math.max(0, clock.now() - time));
  }

  async *#everyBatch(): AsyncGenerator<SpoolBatch> {
    for await (const row of everyRow(this.#ports.spool)) yield this.#read(row);
  }

  #read(row: Parameters<typeof readBatch>[0]): SpoolBatch {
    return readBatch(row, this.#ports.store.writer, this.#ports.log);
  }

  async #reload(): Promise<readonly MarketStretch[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#ports.store.load();
      } catch (error) {
        if (!isRetryable(error) || this.#abandon.signal.aborted) throw error;
        await this.#pause(error, attempt);
      }
    }
  }

  #release(group: readonly SpoolBatch[], end: SpoolBatch): void {
    const at = this.#ports.clock.monotonic();
    for (const { number } of group) this.#kept.push({ number, at });
    while (this.#held[0] && this.#held[0].batch.number <= end.number) {
      this.#heldTrades -= tradesOf(this.#held[0].batch.items).length;
      this.#held.shift();
    }
    this.#spooled -= group.reduce((sum, { items }) => sum + tradesOf(items).length, 0);
    this.#committed = end.number;
    this.#oldestAt = this.#spooled === 0 ? null : (this.#held[0]?.since ?? this.#oldestAt);
  }

  async #discard(): Promise<void> {
    const before = this.#ports.clock.monotonic() - KEEP_MS;
    let through = 0;
    // The newest one stays: it tells the next start which numbers are out, should the database fail over while nobody runs.
    while (this.#kept[0] && this.#kept[0].at < before && this.#kept[0].number < this.#spooledNumber)
      through = this.#kept.shift()?.number ?? through;
    if (through === 0) return;
    crashPoint('before-discard');
    await this.#ports.spool
      .discard(through)
      .catch((error: unknown) => this.#ports.log.warn('The spool did not let go', { reason: messageOf(error) }));
  }

  #noteCommit(rows: number, ms: number): void {
    this.#stored += rows;
    this.#commitMs = { last: ms, average: this.#commitMs ? this.#commitMs.average * 0.9 + ms * 0.1 : ms };
    if (this.#waitingSince === null) return;
    const waitedMs = Math.round(this.#ports.clock.monotonic() - this.#waitingSince);
    this.#waitingSince = null;
    this.#ports.log.info('The database stores again', { queue: 'trades', waitedMs, spooled: this.#spooled });
  }

  /** Full jitter: 0 to min(2 s, 100 ms x 2^attempt). */
  async #pause(error: unknown, attempt: number): Promise<void> {
    const { clock, random, log } = this.#ports;
    this.#lastError = { message: messageOf(error), at: clock.now() };
    if (this.#waitingSince === null) {
      this.#waitingSince = clock.monotonic();
      log.warn('The database does not take trades; they wait in the spool', {
        spooled: this.#spooled,
        error: messageOf(error),
      });
    }
    const wait = random() * Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(attempt, 10));
    await clock.sleep(wait, this.#abandon.signal).catch(() => {});
  }
}

/** What of the batches is not committed at a position: words may be, and taking one in again changes nothing. */
const freshOf = (batches: readonly SpoolBatch[], position: bigint): readonly SpoolItem[] =>
  batches.flatMap(({ items }) => items.filter((item) => item.kind !== 'trade' || item.recorded.sequence > position));
