import { isDecimal } from '../market/decimal.ts';
import type { Trade } from '../market/market-event.ts';
import type { Provenance, RecordedTrade } from '../market/recorded-trade.ts';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Database } from './database.ts';
import { codeOf } from './database-errors.ts';
import { upsertInstrument } from './instruments.ts';
import { recordPacked } from './packed-batch.ts';
import { checkStorableTime, ensureMonths } from './partitions.ts';
import { type Entry, monthsTouched, REPEATABLE, recordTrades } from './record-trades.ts';
import { tradeKey } from './trade-columns.ts';
import { storedSince } from './trade-log.ts';
import { claimSlot, type LostSlot, releaseSlot, type WriterSlot } from './writer-slot.ts';

export interface TradeToRecord {
  readonly trade: Trade;
  readonly provenance: Provenance;
  /** Keep the exchange's own payload beside the columns. */
  readonly storeRaw: boolean;
}

/** The one way trades enter the database. Its sequences are dense and commit in order. */
export interface TradeWriter extends AsyncDisposable {
  /** The slot it holds now; changes only after the slot was lost to another server. */
  readonly writer: number;
  /** The last committed sequence. */
  readonly position: bigint;
  /**
   * Records a batch in one transaction and returns those that were new, in sequence order. Safe to repeat with the same
   * batch after any failure: what an unknown commit stored is returned by the repetition, nothing is stored twice.
   * A packed trade of which some fills are stored is returned, and stored, as the rest of it.
   * @throws {AppError} DATABASE_UNAVAILABLE; DATA_POINT_INVALID for what `checkStorable` refuses.
   */
  write(batch: readonly TradeToRecord[]): Promise<readonly RecordedTrade[]>;
}

/** Times one batch is tried again by itself after another server took the slot, or stored the same trades meanwhile. */
const ATTEMPTS = 5;
const LONGEST_ID = 200;

/** @throws {AppError} DATA_POINT_INVALID for a trade no database row can hold; intake should ask before it keeps one. */
export function checkStorable({ tradeId, fillCount, price, size, exchangeTime }: Trade, now: number): void {
  const invalid = (rule: string) => new AppError('DATA_POINT_INVALID', `A stored trade ${rule}`);
  if (tradeId === '' || tradeId.length > LONGEST_ID || tradeId.includes('\0'))
    throw invalid(`has an id of 1 to ${LONGEST_ID} characters, was "${tradeId.slice(0, 40)}"`);
  if (!Number.isInteger(fillCount) || fillCount < 1 || fillCount > 1_000_000)
    throw invalid(`stands for 1 to 1000000 fills, was ${fillCount}`);
  if (!isDecimal(price) || !isDecimal(size)) throw invalid('has decimals for price and size');
  checkStorableTime(exchangeTime, now);
}

/** Claims the lowest free writer slot on a connection of its own. */
export async function openTradeWriter(db: Database, clock: Clock, log: Log): Promise<TradeWriter> {
  return new SlotWriter(db, clock, log, await claimSlot(db, clock, null));
}

class SlotWriter implements TradeWriter {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #instruments = new Map<string, number>();
  #slot: WriterSlot | null;
  #writer: number;
  #position: bigint;
  #lost: LostSlot | null = null;
  /** The batch whose commit nobody confirmed, and the slot and position it was to follow. */
  #unknown: { readonly entries: readonly Entry[]; readonly writer: number; readonly position: bigint } | null = null;
  /** Stored, but not returned yet, since the call that would have returned them failed in turn. */
  readonly #owed: RecordedTrade[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(db: Database, clock: Clock, log: Log, slot: WriterSlot) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#slot = slot;
    this.#writer = slot.id;
    this.#position = slot.position;
  }

  get writer(): number {
    return this.#writer;
  }

  get position(): bigint {
    return this.#position;
  }

  write(batch: readonly TradeToRecord[]): Promise<readonly RecordedTrade[]> {
    const turn = this.#turn.then(() => this.#writeBatch(batch));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #writeBatch(batch: readonly TradeToRecord[]): Promise<readonly RecordedTrade[]> {
    if (this.#closed) throw new AppError('DATABASE_UNAVAILABLE', 'The trade writer is closed');
    for (const { trade } of batch) checkStorable(trade, this.#clock.now());
    const entries = await this.#entries(batch);
    for (let attempt = 1; ; attempt++) {
      try {
        const slot = await this.#claimed();
        await this.#settle(slot);
        const recorded = entries.length === 0 ? [] : await this.#record(slot, entries);
        return [...this.#owed.splice(0), ...recorded];
      } catch (error) {
        const again = error instanceof AppError ? error.code === 'WRITER_FENCED' : REPEATABLE.test(codeOf(error));
        if (!again) await this.#giveUpSlot();
        if (!again || attempt === ATTEMPTS) throw error;
        this.#db.knownMonths.clear();
        this.#log.warn('A batch of trades is recorded again', { attempt, reason: messageOf(error) });
        if (error instanceof AppError) await this.#giveUpSlot();
      }
    }
  }

  /** Adds the instruments, and leaves out what the batch itself holds twice. */
  async #entries(batch: readonly TradeToRecord[]): Promise<readonly Entry[]> {
    const entries = new Map<string, Entry>();
    for (const one of batch) {
      const instrumentId = await this.#instrumentOf(one.trade);
      const key = tradeKey(instrumentId, one.trade);
      if (!entries.has(key)) entries.set(key, { ...one, instrumentId });
    }
    return [...entries.values()];
  }

  async #instrumentOf({ exchange, symbol }: Trade): Promise<number> {
    const key = `${exchange} ${symbol}`;
    const known = this.#instruments.get(key);
    if (known !== undefined) return known;
    const id = await upsertInstrument(this.#db, exchange, symbol, 'market');
    this.#instruments.set(key, id);
    return id;
  }

  async #claimed(): Promise<WriterSlot> {
    if (this.#slot !== null && !this.#slot.connection.lost) return this.#slot;
    await this.#giveUpSlot();
    const slot = await claimSlot(this.#db, this.#clock, this.#lost);
    this.#log.info('A writer slot was claimed again', { writer: slot.id, epoch: slot.epoch, position: slot.position });
    this.#slot = slot;
    this.#writer = slot.id;
    this.#position = slot.position;
    this.#lost = null;
    return slot;
  }

  async #giveUpSlot(): Promise<void> {
    const slot = this.#slot;
    if (slot === null) return;
    this.#slot = null;
    this.#lost = { id: slot.id, position: this.#position, backend: slot.connection.backend };
    await releaseSlot(this.#db, slot);
  }

  /** Finds out what became of a batch whose commit nobody confirmed; what of it was stored is owed to the caller. */
  async #settle(slot: WriterSlot): Promise<void> {
    const unknown = this.#unknown;
    if (unknown === null) return;
    this.#owed.push(...(await storedSince(slot.connection, unknown.writer, unknown.position, unknown.entries)));
    this.#unknown = null;
  }

  async #record(slot: WriterSlot, entries: readonly Entry[]): Promise<readonly RecordedTrade[]> {
    await ensureMonths(this.#db, monthsTouched(entries));
    const recordedAt = this.#clock.now();
    const position = this.#position;
    const instruments = [...new Set(entries.map(({ instrumentId }) => instrumentId))];
    const packed = entries.some(({ trade }) => trade.fillCount > 1);
    this.#unknown = { entries, writer: slot.id, position };
    const plain = packed ? null : await recordTrades(slot, position, entries, recordedAt, instruments);
    const { recorded, held } = plain?.plain
      ? { recorded: plain.fresh.flatMap((at) => entries[at] ?? []), held: plain.held }
      : plain?.held === false
        ? { recorded: [], held: false }
        : await recordPacked(slot, position, entries, recordedAt, instruments, this.#log);
    this.#unknown = null;
    if (!held)
      throw new AppError(
        'WRITER_FENCED',
        `Writer slot ${slot.id} was taken by another server after sequence ${position}`,
      );
    this.#position = position + BigInt(recorded.length);
    return recorded.map(({ trade, provenance }, at) => ({
      trade,
      provenance,
      recordedAt,
      writer: slot.id,
      sequence: position + BigInt(at) + 1n,
    }));
  }

  /** Waits for the batch under way. Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#turn;
    await this.#giveUpSlot();
  }
}
