import { sizeOf } from '../../market/coverage.ts';
import type { Trade } from '../../market/market-event.ts';
import { exactId, remainderOf } from '../../market/packed-trades.ts';
import type { Provenance } from '../../market/recorded-trade.ts';
import { BoundedQueue, type QueueRegistry } from '../../runtime/bounded-queue.ts';
import type { Clock } from '../../runtime/clock.ts';
import { crashPoint } from '../../runtime/crash-point.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import type { Gate } from '../../runtime/gate.ts';
import type { Log } from '../../runtime/log.ts';
import { checkStorable } from '../../storage/trade-writer.ts';
import type { TradeLedgers } from '../ledger/trade-ledgers.ts';
import type { LedgerWord, SpoolBatch, SpooledTrade, SpoolItem } from '../spool/spool-batch.ts';
import type { SpoolPort } from '../spool/spool-port.ts';
import { encodeItems } from '../spool/spool-text.ts';
import { foldItem, type HasTradeIds, idsOf } from './fold-trades.ts';
import { RecentFills } from './recent-fills.ts';
import { RecentIds } from './recent-ids.ts';

export interface IntakePorts {
  readonly spool: SpoolPort;
  /** What is known so far, with all that was spooled. */
  readonly ledgers: TradeLedgers;
  readonly hasTradeIds: HasTradeIds;
  /** Closed while too much waits for the spool, so that sockets are not read. */
  readonly gate: Gate;
  readonly queues: QueueRegistry;
  readonly clock: Clock;
  readonly log: Log;
  /** A batch is durable; called in order. */
  durable(batch: SpoolBatch): void;
  /** What is known was replaced: other gaps may be open than were told. */
  rebased(): void;
  /** Nobody knows any more what the disk holds: the process has to end. */
  broken(error: unknown): void;
}

export interface IntakeOptions {
  /** Whose numbers the trades get, and the last that was given. */
  readonly writer: number;
  readonly last: bigint;
  /** Of the last batch. */
  readonly number: number;
  /** Trades that may wait for the spool. */
  readonly capacity: number;
  readonly maxRows: number;
  /** Between two batches at least, unless they are large: a trade that comes alone goes to the disk at once. */
  readonly lingerMs: number;
}

export interface IntakeStatus {
  /** Trades, and what is said of them, accepted and not durable yet. */
  readonly queued: number;
  /** When the trades that are on their way to the spool were recorded, ms; null when none are. */
  readonly stampedAt: number | null;
  /** Null: the spool takes what comes; else since when (monotonic ms) it is full. */
  readonly fullSince: number | null;
  /** Trades that were here already. */
  readonly repeated: number;
  /** Trades turned away because too many waited although sockets were held back; their ids tell that they are missing. */
  readonly turnedAway: number;
  /** Trades no row can hold. */
  readonly unfit: number;
}

/** A trade that waits for its number, and gets it in its place: what waits is most of what is alive. */
type Accepted = { -readonly [Field in keyof SpooledTrade]: SpooledTrade[Field] };

const GATE_NAME = 'trades waiting for the spool';
const FULL_RETRY_MS = 500;

/** From collectors to the spool: leaves out what is known, notices what is missing, numbers the rest and makes it durable. */
export class TradeIntake {
  readonly #ports: IntakePorts;
  readonly #options: IntakeOptions;
  readonly #queue: BoundedQueue<Accepted | LedgerWord>;
  readonly #recentIds = new RecentIds();
  readonly #fills = new RecentFills();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #idle: PromiseWithResolvers<void> | null = null;
  #last: bigint;
  #number: number;
  #accepted = 0;
  #done = 0;
  #waiters: { readonly at: number; readonly resolve: () => void }[] = [];
  #stampedAt: number | null = null;
  /** When the last batch was taken, monotonic ms. */
  #takenAt = Number.NEGATIVE_INFINITY;
  #fullSince: number | null = null;
  #rebase: (() => Promise<TradeLedgers>) | null = null;
  #repeated = 0;
  #turnedAway = 0;
  #unfit = 0;

  constructor(ports: IntakePorts, options: IntakeOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#last = options.last;
    this.#number = options.number;
    this.#queue = new BoundedQueue({
      ...{ name: 'trades', capacity: options.capacity, policy: 'refuse', registry: ports.queues },
    });
    this.#running = this.#run();
    this.#running.catch((error: unknown) => ports.broken(error));
  }

  /** Cheap, never waits. False: no room; the trade is missing unless it is fetched again. */
  accept(trade: Trade, provenance: Provenance, storeRaw: boolean): boolean {
    try {
      checkStorable(trade, this.#ports.clock.now());
    } catch (error) {
      this.#refuse(trade, messageOf(error));
      return true;
    }
    const { writer } = this.#options;
    if (this.#take({ kind: 'trade', trade, writer, sequence: 0n, recordedAt: 0, provenance, storeRaw })) return true;
    this.#turnedAway += 1;
    return false;
  }

  /** Takes something said of trades into the ledger, after the trades accepted before. False: no room; it has not been said. */
  say(word: LedgerWord): boolean {
    return this.#take(word);
  }

  /** Before the next batch, what is known is replaced by what `build` gives. */
  rebase(build: () => Promise<TradeLedgers>): void {
    this.#rebase = build;
    this.#wake();
  }

  /** Resolves when all that was accepted so far is durable. */
  settled(): Promise<void> {
    if (this.#done >= this.#accepted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ at: this.#accepted, resolve });
    return promise;
  }

  status(): IntakeStatus {
    return {
      queued: this.#accepted - this.#done,
      stampedAt: this.#stampedAt,
      fullSince: this.#fullSince,
      repeated: this.#repeated,
      turnedAway: this.#turnedAway,
      unfit: this.#unfit,
    };
  }

  /** Takes no more and makes durable what is here; gives up after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort(new AppError('SPOOL_UNAVAILABLE', 'The server is stopping'));
    this.#wake();
    const inTime = new AbortController();
    const deadline = this.#ports.clock.sleep(deadlineMs, inTime.signal).catch(() => {});
    await Promise.race([this.#running.catch(() => {}), deadline]);
    inTime.abort();
    this.#ports.gate.set(GATE_NAME, true);
    this.#queue[Symbol.dispose]();
    this.#settle(this.#accepted - this.#done); // nobody waits for what is left
  }

  #take(item: Accepted | LedgerWord): boolean {
    if (this.#stopping.signal.aborted || !this.#queue.push(item)) return false;
    this.#accepted += 1;
    if (this.#queue.held >= this.#options.capacity / 2) this.#ports.gate.set(GATE_NAME, false);
    this.#wake();
    return true;
  }

  #wake(): void {
    this.#idle?.resolve();
    this.#idle = null;
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#rebase !== null) {
        const build = this.#rebase;
        this.#rebase = null;
        this.#ports.ledgers.become(await build());
        this.#ports.rebased();
      }
      if (this.#queue.held === 0) {
        if (this.#stopping.signal.aborted) return;
        this.#idle = Promise.withResolvers();
        await this.#idle.promise;
        continue;
      }
      const { maxRows, lingerMs, capacity } = this.#options;
      const early = lingerMs - (this.#ports.clock.monotonic() - this.#takenAt);
      if (early > 0 && this.#queue.held < maxRows / 8 && !this.#stopping.signal.aborted)
        await this.#ports.clock.sleep(early, this.#stopping.signal).catch(() => {});
      this.#takenAt = this.#ports.clock.monotonic();
      const accepted = this.#queue.take(maxRows);
      if (this.#queue.held <= capacity / 4 && this.#fullSince === null) this.#ports.gate.set(GATE_NAME, true);
      const items = this.#assemble(accepted);
      if (items.length > 0) await this.#spool(items);
      this.#stampedAt = null;
      this.#settle(accepted.length);
    }
  }

  #assemble(accepted: readonly (Accepted | LedgerWord)[]): readonly SpoolItem[] {
    const recordedAt = this.#ports.clock.now();
    this.#stampedAt = recordedAt;
    const items: SpoolItem[] = [];
    for (const one of accepted) {
      if (one.kind === 'trade') {
        const { trade, storeRaw } = one;
        const fresh = this.#fresh(storeRaw || trade.raw === null ? trade : withoutPayload(trade));
        if (fresh === null) continue;
        this.#last += 1n;
        one.trade = fresh;
        one.sequence = this.#last;
        one.recordedAt = recordedAt;
      }
      foldItem(this.#ports.ledgers, one, this.#ports.hasTradeIds);
      items.push(one);
    }
    return items;
  }

  /** The trade, or what of it is new; null when nothing is. */
  #fresh(trade: Trade): Trade | null {
    const ledger = this.#ports.ledgers.find(trade.exchange, trade.symbol);
    if (ledger?.isNext(exactId(trade.tradeId) - trade.fillCount + 1) && this.#ports.hasTradeIds(trade.exchange)) {
      this.#fills.put(trade);
      return trade;
    }
    const range = idsOf(trade, this.#ports.hasTradeIds);
    if (range === null) {
      if (!this.#recentIds.seen(trade)) return trade;
      this.#repeated += 1;
      return null;
    }
    const missing = ledger?.missing(range) ?? [range];
    const [only] = missing;
    if (only === undefined) {
      this.#repeated += 1;
      return null;
    }
    if (missing.length === 1 && sizeOf(only) === sizeOf(range)) {
      this.#fills.put(trade);
      return trade;
    }
    // A packed trade of which some fills are here. Where their sizes are not known any more, its ids become a gap and come one by one.
    const rest = remainderOf(trade, this.#fills.touching(trade, range));
    const known =
      rest.kind === 'rest' && rest.trade.fillCount === Number(missing.reduce((sum, run) => sum + sizeOf(run), 0n));
    if (!known || rest.kind !== 'rest') {
      const { exchange, symbol, tradeId } = trade;
      const about = { market: `${exchange} ${symbol}`, tradeId };
      this.#ports.log.debug('A packed trade overlaps stored ones and was left out', about);
      return null;
    }
    this.#fills.put(rest.trade);
    return rest.trade;
  }

  async #spool(items: readonly SpoolItem[]): Promise<void> {
    const { spool, clock, log, gate } = this.#ports;
    this.#number += 1;
    const batch: SpoolBatch = { number: this.#number, last: this.#last, items };
    const row = { number: batch.number, last: Number(batch.last), at: clock.now(), body: encodeItems(items) };
    crashPoint('before-append');
    for (;;) {
      try {
        await spool.append([row]);
        break;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'SPOOL_FULL') throw error;
        if (this.#fullSince === null) {
          this.#fullSince = clock.monotonic();
          log.error('The spool is full: sockets are not read until there is room', { reason: messageOf(error) });
          gate.set(GATE_NAME, false);
        }
        await clock.sleep(FULL_RETRY_MS);
      }
    }
    if (this.#fullSince !== null) {
      log.info('The spool has room again', { fullMs: Math.round(clock.monotonic() - this.#fullSince) });
      this.#fullSince = null;
      gate.set(GATE_NAME, true);
    }
    crashPoint('after-fsync');
    this.#ports.durable(batch);
  }

  #settle(count: number): void {
    this.#done += count;
    const settled = this.#waiters.filter(({ at }) => at <= this.#done);
    this.#waiters = this.#waiters.filter(({ at }) => at > this.#done);
    for (const { resolve } of settled) resolve();
  }

  /** No row can hold it: the ledger says that it will never be here, and why. */
  #refuse(trade: Trade, reason: string): void {
    this.#unfit += 1;
    const { clock, log, hasTradeIds } = this.#ports;
    log.error('A trade cannot be stored', { exchange: trade.exchange, symbol: trade.symbol, reason });
    const range = idsOf(trade, hasTradeIds);
    if (range === null || trade.fillCount > 1_000_000) return;
    const { exchange, symbol } = trade;
    this.say({ kind: 'give-up', exchange, symbol, range, cause: reason, now: clock.now(), wasTaken: false });
  }
}

/** As it is read back. Subscribers are held thousands of trades, and of these nobody is shown the payload. */
const withoutPayload = (trade: Trade): Trade => ({
  kind: 'trade',
  exchange: trade.exchange,
  symbol: trade.symbol,
  exchangeTime: trade.exchangeTime,
  receivedAt: trade.receivedAt,
  raw: null,
  tradeId: trade.tradeId,
  fillCount: trade.fillCount,
  price: trade.price,
  size: trade.size,
  side: trade.side,
});
