import { crashPoint } from '../../runtime/crash-point.ts';
import { messageOf } from '../../runtime/errors.ts';
import { type SpoolBatch, tradesOf } from '../spool/spool-batch.ts';
import { everyRow, READ_ROWS, readBatch } from '../spool/spooled-batches.ts';
import type { DrainPorts, LeftBatch } from './drain-ports.ts';

/** Trades held in memory for the database; what comes after them is read back from the spool. */
const MAX_HELD = 65_536;
/** A committed batch stays in the spool this long: a database that fails over may lose its last seconds. */
const KEEP_MS = 30_000;
const DISCARD_EVERY_MS = 1_000;

/** Batches that are committed together. */
export interface BatchGroup {
  readonly batches: readonly SpoolBatch[];
  readonly end: SpoolBatch;
  /** Whether the next batch would have been too much. */
  readonly isFull: boolean;
}

type BacklogPorts = Pick<DrainPorts, 'spool' | 'store' | 'clock' | 'log'>;

/** What is durable in the spool and not committed yet, the beginning of it in memory; and, for a while, what is committed. */
export class DrainBacklog implements Disposable {
  readonly #ports: BacklogPorts;
  readonly #maxRows: number;
  readonly #timer: Disposable;
  #held: { readonly batch: SpoolBatch; readonly since: number }[] = [];
  #heldTrades = 0;
  #committed: number;
  #taken: number;
  #trades = 0;
  #oldestAt: number | null = null;
  readonly #kept: { readonly number: number; readonly at: number }[] = [];

  /** `number`: of the last batch that is committed. `maxRows`: of a group. */
  constructor(ports: BacklogPorts, number: number, maxRows: number) {
    this.#ports = ports;
    this.#maxRows = maxRows;
    this.#committed = number;
    this.#taken = number;
    this.#timer = ports.clock.every(DISCARD_EVERY_MS, () => void this.#discard());
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  /** Number of the last batch that is committed. */
  get committed(): number {
    return this.#committed;
  }

  /** Number of the last batch that was taken over. */
  get taken(): number {
    return this.#taken;
  }

  get isEmpty(): boolean {
    return this.#committed === this.#taken;
  }

  /** Trades of it. */
  get trades(): number {
    return this.#trades;
  }

  /** Since the oldest of its trades was recorded, ms; null without any. */
  get oldestMs(): number | null {
    return this.#trades === 0 || this.#oldestAt === null ? null : this.#ports.clock.monotonic() - this.#oldestAt;
  }

  /** Takes over a durable batch, the next one, and its trades. */
  take(batch: SpoolBatch, { length, 0: first }: ReturnType<typeof tradesOf>): void {
    this.#taken = batch.number;
    this.#trades += length;
    const since = this.#monotonic(first?.recordedAt ?? null);
    this.#oldestAt ??= since;
    const last = this.#held.at(-1)?.batch.number ?? this.#committed; // else it is behind what waits in the spool
    if (last !== batch.number - 1 || this.#heldTrades >= MAX_HELD) return;
    this.#held.push({ batch, since });
    this.#heldTrades += length;
  }

  /** It is read back when its turn comes. */
  adopt({ number, trades, recordedAt }: LeftBatch): void {
    this.#taken = number;
    this.#trades += trades;
    this.#oldestAt ??= this.#monotonic(recordedAt);
  }

  /** The batches that are committed next, together: from memory, or read back from the spool. */
  async next(): Promise<BatchGroup | null> {
    if (this.#held[0]?.batch.number !== this.#committed + 1) await this.#readBack();
    return this.#together(0);
  }

  /** The group after this one, if it is full: what comes until its turn shall go with it otherwise. */
  after({ batches }: BatchGroup): BatchGroup | null {
    const next = this.#held[0]?.batch === batches[0] ? this.#together(batches.length) : null;
    return next?.isFull ? next : null;
  }

  /** It is committed. */
  release({ batches, end }: BatchGroup): void {
    const at = this.#ports.clock.monotonic();
    for (const { number, items } of batches) {
      this.#kept.push({ number, at });
      this.#trades -= tradesOf(items).length;
    }
    while (this.#held[0] && this.#held[0].batch.number <= end.number) {
      this.#heldTrades -= tradesOf(this.#held[0].batch.items).length;
      this.#held.shift();
    }
    this.#committed = end.number;
    this.#oldestAt = this.#trades === 0 ? null : (this.#held[0]?.since ?? this.#oldestAt);
  }

  /** Lets go of everything that is committed, at the end. */
  async discardCommitted(): Promise<void> {
    await this.#ports.spool.discard(this.#committed);
  }

  /**
   * Begins again behind a position, with what the spool still has; a batch that ends there may hold words that are not committed.
   * `hasAll`: the trades after the position are all there.
   */
  async rewind(position: bigint): Promise<{ readonly hasAll: boolean }> {
    let number = this.#taken + 1;
    let trades = 0;
    let next: bigint | null = null;
    let recordedAt: number | null = null;
    for await (const batch of this.everyBatch()) {
      if (batch.last < position) continue;
      const own = tradesOf(batch.items);
      number = Math.min(number, batch.number);
      trades += own.length;
      recordedAt ??= own[0]?.recordedAt ?? null;
      next ??= own.find(({ sequence }) => sequence > position)?.sequence ?? null;
    }
    this.#held = [];
    this.#heldTrades = 0;
    this.#kept.splice(0);
    this.#trades = trades;
    this.#oldestAt = this.#monotonic(recordedAt);
    this.#committed = number - 1;
    return { hasAll: next === position + 1n };
  }

  /** Every batch in the spool, committed or not, in order. */
  async *everyBatch(): AsyncGenerator<SpoolBatch> {
    for await (const row of everyRow(this.#ports.spool)) yield this.#read(row);
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
    if (this.#held.length === 0) this.#committed = this.#taken;
  }

  /** What goes together from the batch with this index in memory on; null without any. */
  #together(from: number): BatchGroup | null {
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

  async #discard(): Promise<void> {
    const { clock, spool, log } = this.#ports;
    const before = clock.monotonic() - KEEP_MS;
    let through = 0;
    // The newest one stays: it tells the next start which numbers are out, should the database fail over while nobody runs.
    while (this.#kept[0] && this.#kept[0].at < before && this.#kept[0].number < this.#taken)
      through = this.#kept.shift()?.number ?? through;
    if (through === 0) return;
    crashPoint('before-discard');
    await spool
      .discard(through)
      .catch((error: unknown) => log.warn('The spool did not let go', { reason: messageOf(error) }));
  }

  /** The monotonic ms of a time on the wall, perhaps of an earlier process; null is now. */
  #monotonic(time: number | null): number {
    const { clock } = this.#ports;
    return clock.monotonic() - (time === null ? 0 : Math.max(0, clock.now() - time));
  }

  #read(row: Parameters<typeof readBatch>[0]): SpoolBatch {
    return readBatch(row, this.#ports.store.writer, this.#ports.log);
  }
}
