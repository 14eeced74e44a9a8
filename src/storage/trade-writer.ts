import type { StretchChange } from '../market/coverage.ts';
import { isDecimal, isZero } from '../market/decimal.ts';
import type { Trade } from '../market/market-event.ts';
import type { Clock } from '../runtime/clock.ts';
import { crashPoint } from '../runtime/crash-point.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { adoptCoverage } from './adopt-coverage.ts';
import { type CoverageRow, replaceStretches } from './coverage-writer.ts';
import type { Database } from './database.ts';
import { codeOf } from './database-errors.ts';
import { upsertInstrument } from './instruments.ts';
import { checkStorableTime, ensureMonths, LATEST_TRADE_MS } from './partitions.ts';
import { type HeadStretch, REPEATABLE, recordTrades } from './record-trades.ts';
import { makeBatch, type NumberedTrade, type TradeBatch } from './trade-batch.ts';
import { sequenceOf } from './trade-columns.ts';
import { claimSlot, disownSlot, releaseSlot, type WriterSlot } from './writer-slot.ts';

/** What goes into one transaction: trades and what they mean for the ledger. */
export interface TradeCommit {
  /** In the order of their sequence. */
  readonly trades: readonly NumberedTrade[];
  /** The writer's position after it: the last sequence, also one whose trade was refused. */
  readonly last: bigint;
  readonly changes: readonly StretchChange[];
}

/** The one way trades enter the database. Sequences commit in order; some may stay empty. */
export interface TradeWriter extends AsyncDisposable {
  /** The slot whose numbers the trades carry. */
  readonly writer: number;
  /** The last committed sequence. */
  readonly position: bigint;
  /**
   * Commits all or nothing, and tells whose numbers stay empty since another writer had the trade. Safe to repeat after any failure:
   * what was committed is not committed again.
   * @throws {AppError} DATABASE_UNAVAILABLE; WRITER_BEHIND when the database has lost what it once confirmed: commit from its
   * `position` on again.
   */
  write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }>;
  /**
   * Makes ahead what `write` sends of these trades, the very list: the database may meanwhile work on the commit before.
   * @throws {AppError} DATABASE_UNAVAILABLE, as `write` would.
   */
  prepare(trades: readonly NumberedTrade[]): Promise<void>;
  /** Nothing with its numbers is out that is not committed: the slot may become somebody else's after this process. */
  disown(): void;
}

/** Times one batch is tried again by itself after another server took the slot, or stored the same trades meanwhile. */
const ATTEMPTS = 5;
/** How long a writer that met another one's trade looks each up before it stores them. */
const CAREFUL_MS = 600_000;
const LONGEST_ID = 200;
const CONTROL = /\p{Cc}/u;

/** @throws {AppError} DATA_POINT_INVALID for a trade no database row can hold, or none should; intake asks before it keeps one. */
export function checkStorable({ tradeId, fillCount, price, size, exchangeTime }: Trade, now: number): void {
  const invalid = (rule: string) => new AppError('DATA_POINT_INVALID', `A stored trade ${rule}`);
  // Pages of trades are read as lines (trade-lines.ts).
  if (tradeId === '' || tradeId.length > LONGEST_ID || CONTROL.test(tradeId))
    throw invalid(
      `has an id of 1 to ${LONGEST_ID} characters that are no control characters, was "${tradeId.slice(0, 40)}"`,
    );
  if (!Number.isInteger(fillCount) || fillCount < 1 || fillCount > 1_000_000)
    throw invalid(`stands for 1 to 1000000 fills, was ${fillCount}`);
  if (!isDecimal(price) || !isDecimal(size)) throw invalid('has decimals for price and size');
  // Nothing is traded for nothing: such a record would make the low of its candles 0.
  if (price.startsWith('-') || isZero(price)) throw invalid(`has a price above 0, was "${price}"`);
  if (size.startsWith('-')) throw invalid(`has a size of 0 or more, was "${size}"`);
  checkStorableTime(exchangeTime, now, LATEST_TRADE_MS);
}

/** Claims the slot of a spool on a connection of its own, and writes into its books what other writers have said. */
export async function openTradeWriter(
  db: Database,
  clock: Clock,
  log: Log,
  owner: { readonly owner: string; readonly writer: number | null },
): Promise<TradeWriter> {
  const slot = await claimSlot(db, clock, { ...owner, position: 0n });
  try {
    const markets = await adoptCoverage(slot, clock.now());
    if (markets > 0) log.info('Took over what other writers have said of trades', { markets });
  } catch (error) {
    await releaseSlot(db, slot);
    throw error;
  }
  return new SlotWriter(db, clock, log, owner.owner, slot);
}

class SlotWriter implements TradeWriter {
  readonly writer: number;
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #owner: string;
  readonly #instruments = new Map<string, number>();
  #slot: WriterSlot | null;
  /** Of the last claim: a database that gives it again has lost it. */
  #epoch: bigint;
  #position: bigint;
  #turn: Promise<unknown> = Promise.resolve();
  #prepared: { readonly trades: readonly NumberedTrade[]; readonly batch: TradeBatch } | null = null;
  /** Monotonic ms: until then trades are expected that another writer has stored. */
  #carefulUntil = 0;
  #disowned = false;
  #closed = false;

  constructor(db: Database, clock: Clock, log: Log, owner: string, slot: WriterSlot) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#owner = owner;
    this.#slot = slot;
    this.#epoch = slot.epoch;
    this.writer = slot.id;
    this.#position = slot.position;
  }

  get position(): bigint {
    return this.#position;
  }

  write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }> {
    const turn = this.#turn.then(() => this.#write(commit));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async prepare(trades: readonly NumberedTrade[]): Promise<void> {
    this.#prepared = { trades, batch: await this.#batch(trades) };
  }

  disown(): void {
    this.#disowned = true;
  }

  async #write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }> {
    if (this.#closed) throw new AppError('DATABASE_UNAVAILABLE', 'The trade writer is closed');
    const batch = this.#takePrepared(commit.trades) ?? (await this.#batch(commit.trades));
    const rows = await this.#rows(commit.changes);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(commit, batch, rows);
      } catch (error) {
        const repeatable = !(error instanceof AppError) && REPEATABLE.test(codeOf(error));
        const fenced = error instanceof AppError && error.code === 'WRITER_FENCED';
        if (repeatable) this.#carefulUntil = this.#clock.monotonic() + CAREFUL_MS;
        else await this.#giveUpSlot();
        if ((!repeatable && !fenced) || attempt === ATTEMPTS) throw error;
        this.#db.knownMonths.clear();
        this.#log.warn('A batch of trades is recorded again', { attempt, reason: messageOf(error) });
      }
    }
  }

  #takePrepared(trades: readonly NumberedTrade[]): TradeBatch | null {
    const prepared = this.#prepared;
    if (prepared?.trades !== trades) return null;
    this.#prepared = null;
    return prepared.batch;
  }

  async #once({ last }: TradeCommit, batch: TradeBatch, rows: readonly CoverageRow[]) {
    const slot = await this.#claimed();
    if (batch.ids.length > 0 && this.#position >= last) return { leftOut: await this.#emptyNumbers(slot, batch) };
    await ensureMonths(this.#db, batch.months);
    const step = { batch, from: this.#position, to: last };
    const heads = headsOf(rows);
    const mode = batch.months.length > 1 || this.#clock.monotonic() < this.#carefulUntil ? 'careful' : 'bold';
    // The bold statement looks at no table that grows. Any other's plan would be kept from when a month was empty.
    await slot.connection.plan(mode === 'bold' && heads ? 'once' : 'anew');
    const outcome = heads
      ? await recordTrades(slot, step, heads, this.#clock.now(), mode)
      : await slot.connection.transaction(
          async () => {
            const recorded = await recordTrades(slot, step, [], this.#clock.now(), mode);
            if (recorded.held) await replaceStretches(slot.connection, slot.id, rows, this.#clock.now());
            crashPoint('mid-ledger');
            return recorded;
          },
          ({ held }) => held,
        );
    if (!outcome.held)
      throw new AppError('WRITER_FENCED', `Writer slot ${slot.id} was taken after sequence ${this.#position}`);
    this.#position = last;
    return { leftOut: outcome.leftOut };
  }

  /** What a commit that nobody confirmed has left out. */
  async #emptyNumbers({ connection }: WriterSlot, batch: TradeBatch): Promise<ReadonlySet<bigint>> {
    const ids = batch.ids.map(String);
    const found = await connection.query<{ id: string }>({
      text: 'select id from tcp_dashboard.trade where id = any($1::int8[])',
      values: [ids],
    });
    const stored = new Set(found.map((row) => row.id));
    return new Set(ids.filter((one) => !stored.has(one)).map((one) => sequenceOf(BigInt(one))));
  }

  async #batch(trades: readonly NumberedTrade[]): Promise<TradeBatch> {
    const instrumentIds: number[] = [];
    for (const { trade } of trades) {
      const { exchange, symbol } = trade;
      instrumentIds.push(this.#known(exchange, symbol) ?? (await this.#instrumentOf(exchange, symbol)));
    }
    return makeBatch(this.writer, trades, instrumentIds);
  }

  async #rows(changes: readonly StretchChange[]): Promise<readonly CoverageRow[]> {
    const rows: CoverageRow[] = [];
    for (const { exchange, symbol, first, stretch } of changes) {
      const instrumentId = this.#known(exchange, symbol) ?? (await this.#instrumentOf(exchange, symbol));
      rows.push({ instrumentId, dataType: 'trade', first, stretch });
    }
    return rows;
  }

  #known(exchange: string, symbol: string): number | undefined {
    return this.#instruments.get(`${exchange} ${symbol}`);
  }

  async #instrumentOf(exchange: string, symbol: string): Promise<number> {
    const id = await upsertInstrument(this.#db, exchange, symbol, 'market');
    this.#instruments.set(`${exchange} ${symbol}`, id);
    return id;
  }

  async #claimed(): Promise<WriterSlot> {
    if (this.#slot !== null && !this.#slot.connection.lost) return this.#slot;
    await this.#giveUpSlot();
    const [before, epoch] = [this.#position, this.#epoch];
    const slot = await claimSlot(this.#db, this.#clock, { owner: this.#owner, writer: this.writer, position: 0n });
    this.#log.info('The writer slot was claimed again', {
      writer: slot.id,
      epoch: slot.epoch,
      position: slot.position,
    });
    this.#slot = slot;
    this.#epoch = slot.epoch;
    this.#position = slot.position;
    if (slot.position >= before && slot.epoch > epoch) return slot;
    throw new AppError(
      'WRITER_BEHIND',
      `The database stands at sequence ${slot.position} and had confirmed ${before}: it was restored or failed over`,
    );
  }

  async #giveUpSlot(): Promise<void> {
    const slot = this.#slot;
    if (slot === null) return;
    this.#slot = null;
    await releaseSlot(this.#db, slot);
  }

  /** Waits for the batch under way. Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#turn;
    const slot = this.#slot;
    if (slot !== null && this.#disowned && !slot.connection.lost) await disownSlot(slot).catch(() => {});
    await this.#giveUpSlot();
  }
}

/** The rows as heads that only grew, one a market; null when stretches have to be cut, joined or closed. */
function headsOf(rows: readonly CoverageRow[]): readonly HeadStretch[] | null {
  const heads = new Map<number, HeadStretch>();
  for (const { instrumentId, stretch } of rows) {
    if (stretch?.status !== 'PROVEN' || heads.has(instrumentId)) return null;
    heads.set(instrumentId, { instrumentId, ...stretch });
  }
  return [...heads.values()];
}
