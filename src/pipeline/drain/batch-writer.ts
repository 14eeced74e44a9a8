import { BoundedQueue, type QueuePolicy, type QueueRegistry } from '../../runtime/bounded-queue.ts';
import { atMost, type Clock, type Random } from '../../runtime/clock.ts';
import { isRetryable, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { RefusedRow } from './drain-ports.ts';
import { StoreTries } from './store-tries.ts';

/** Tries of rows that nothing is stored beside, before they count as the ones at fault. */
const PATIENCE = 5;

const REFUSED_KEPT = 20;

export interface BatchWriterStatus {
  readonly state: 'STORING' | 'WAITING_FOR_DATABASE';
  /** In words. */
  readonly reason: string;
  /** Rows accepted and not yet stored. */
  readonly queued: number;
  /** Of the oldest of them; null when there is none. */
  readonly oldestMs: number | null;
  readonly stored: number;
  /** Rows storage will never take; the newest 20 of them. */
  readonly refused: number;
  readonly refusedSample: readonly RefusedRow[];
  /** Of the last commit and smoothed over the last ones; null before the first. */
  readonly commitMs: { readonly last: number; readonly average: number } | null;
  readonly lastError: { readonly message: string; readonly at: number } | null;
}

interface BatchWriterOptions<T> {
  /** Names its queue; a noun in the plural, as status sentences use it. */
  readonly name: string;
  readonly capacity: number;
  readonly policy: QueuePolicy;
  /** Rows of one write. */
  readonly maxRows: number;
  /** How long a small batch, under an eighth of `maxRows`, waits for company. */
  readonly lingerMs: number;
  /** Stores a batch, wholly or not at all. An error whose code says `retry` is met by the same batch again, any other by halving it. */
  write(rows: readonly T[]): Promise<unknown>;
  describe(row: T): string;
  /** Told of every row that will never be stored: it gave way to a newer one, or storage does not take it. */
  readonly lost?: (row: T, why: 'dropped' | 'refused') => void;
}

interface WriterPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly queues: QueueRegistry;
}

/** Takes rows one by one and stores them in batches: in order, one batch in flight, for ever repeated while the database is away. */
export class BatchWriter<T extends { readonly acceptedAt: number }> {
  readonly #options: BatchWriterOptions<T>;
  readonly #ports: WriterPorts;
  readonly #queue: BoundedQueue<T>;
  readonly #tries: StoreTries;
  readonly #running: Promise<void>;
  #idle: PromiseWithResolvers<void> | null = null;
  #stopping = false;
  #flight: readonly T[] = [];
  #refused = 0;
  readonly #refusedSample: RefusedRow[] = [];

  constructor(options: BatchWriterOptions<T>, ports: WriterPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#queue = new BoundedQueue({
      ...options,
      registry: ports.queues,
      dropped: (row) => options.lost?.(row, 'dropped'),
    });
    this.#tries = new StoreTries(ports, {
      waiting: 'The database does not take rows; the same ones are tried again',
      whenWaiting: () => ({ queue: options.name, queued: this.#queue.held + this.#flight.length }),
      whenStored: () => ({ queue: options.name, queued: this.#queue.held }),
    });
    this.#running = this.#run();
  }

  /** False when the row was turned away: full, or stopped. */
  offer(row: T): boolean {
    if (this.#stopping || !this.#queue.push(row)) return false;
    if (this.#idle) {
      this.#idle.resolve();
      this.#idle = null;
    }
    return true;
  }

  status(): BatchWriterStatus {
    const queued = this.#queue.held + this.#flight.length;
    const oldest = (this.#flight[0] ?? this.#queue.oldest)?.acceptedAt;
    const oldestMs = oldest === undefined ? null : this.#ports.clock.monotonic() - oldest;
    const { stored, commitMs, lastError, waitingSince } = this.#tries.status();
    return {
      state: waitingSince === null ? 'STORING' : 'WAITING_FOR_DATABASE',
      reason: this.#inWords(queued, oldestMs),
      queued,
      oldestMs,
      stored,
      refused: this.#refused,
      refusedSample: [...this.#refusedSample],
      commitMs,
      lastError,
    };
  }

  /** Takes no more rows and stores what is held; gives up after `deadlineMs` and returns how many rows were left. */
  async stop(deadlineMs: number): Promise<number> {
    this.#stopping = true;
    this.#idle?.resolve();
    await atMost(this.#ports.clock, deadlineMs, this.#running);
    this.#tries.abandon();
    const left = this.#queue.held + this.#flight.length;
    this.#queue[Symbol.dispose]();
    return left;
  }

  async #run(): Promise<void> {
    while (!this.#tries.isAbandoned) {
      if (this.#queue.held === 0) {
        if (this.#stopping) return;
        this.#idle = Promise.withResolvers();
        await this.#idle.promise;
      }
      if (this.#queue.held < this.#options.maxRows / 8 && !this.#stopping)
        await this.#ports.clock.sleep(this.#options.lingerMs, this.#tries.signal).catch(() => {});
      const rows = this.#queue.take(this.#options.maxRows);
      this.#flight = rows;
      await this.#storeAll(rows);
      this.#flight = [];
    }
  }

  /** Returns when every row is stored or refused, or the writer was told to give up. */
  async #storeAll(rows: readonly T[]): Promise<void> {
    let pending = rows;
    for (let attempt = 0; pending.length > 0 && !this.#tries.isAbandoned; attempt += 1) {
      const failed: { readonly row: T; readonly error: unknown }[] = [];
      const stored = await this.#store(pending, failed);
      // Where something else was stored, or nothing ever is, the row is at fault and not the database.
      if (stored > 0 || attempt === PATIENCE) {
        for (const { row, error } of failed) this.#refuse(row, error);
        return;
      }
      pending = failed.map(({ row }) => row);
      if (failed[0]) await this.#tries.pause(failed[0].error, attempt);
    }
  }

  /** How many were stored; rows storage does not take go to `failed`, found by halving. */
  async #store(rows: readonly T[], failed: { row: T; error: unknown }[]): Promise<number> {
    for (let attempt = 0; !this.#tries.isAbandoned; attempt += 1) {
      const started = this.#ports.clock.monotonic();
      try {
        await this.#options.write(rows);
      } catch (error) {
        if (isRetryable(error)) {
          await this.#tries.pause(error, attempt);
          continue;
        }
        const [only] = rows;
        if (rows.length === 1 && only !== undefined) {
          failed.push({ row: only, error });
          return 0;
        }
        const middle = rows.length >> 1;
        return (await this.#store(rows.slice(0, middle), failed)) + (await this.#store(rows.slice(middle), failed));
      }
      this.#tries.noteCommit(rows.length, this.#ports.clock.monotonic() - started);
      return rows.length;
    }
    return 0;
  }

  #refuse(row: T, error: unknown): void {
    const refused = { what: this.#options.describe(row), reason: messageOf(error), at: this.#ports.clock.now() };
    this.#refused += 1;
    this.#refusedSample.push(refused);
    if (this.#refusedSample.length > REFUSED_KEPT) this.#refusedSample.shift();
    this.#tries.noteError(error);
    this.#ports.log.error('Storage refused a row for good', { queue: this.#options.name, ...refused });
    this.#options.lost?.(row, 'refused');
  }

  #inWords(queued: number, oldestMs: number | null): string {
    const { name } = this.#options;
    const { waitingSince, lastError } = this.#tries.status();
    if (waitingSince !== null) {
      const waited = seconds(this.#ports.clock.monotonic() - waitingSince);
      const why = lastError ? `: ${lastError.message}` : '';
      return `Waiting for the database for ${waited}, ${queued} ${name} queued${why}`;
    }
    if (oldestMs === null) return `All ${name} are stored`;
    return `Storing ${name}, ${queued} queued, the oldest for ${seconds(oldestMs)}`;
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
