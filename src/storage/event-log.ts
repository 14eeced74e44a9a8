import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { makePrivateDirectory } from '../runtime/private-directory.ts';
import { isDamaged, openSqliteFile, setAside } from './sqlite-file.ts';

const SCHEMA = `create table if not exists event (number integer primary key autoincrement, body text not null);
  create table if not exists log (id text not null);
  insert into log (id) select lower(hex(randomblob(16))) where not exists (select 1 from log)`;
/** Servers that may share one data directory, as during a rolling restart. */
const MOST_LOGS = 64;
/** Events kept unless told otherwise. */
const KEEP = 10_000;
/** The newest events, which nearly every reader asks for, are also in memory. */
const IN_MEMORY = 256;
/** Events that may wait for a disk that takes none. */
const MAX_WAITING = 10_000;
const RETRY_MS = 1_000;

interface EventLogOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Events kept; default 10,000. */
  readonly keep?: number;
  /** Pages the file may have, for want of a full disk. */
  readonly maxPages?: number;
}

interface Logged<T> {
  readonly number: number;
  readonly event: T;
}

/**
 * Opens the first log of a directory that nobody holds, as `events-<n>.sqlite`. A damaged one is set aside, and a new one begun.
 * @throws {AppError} SPOOL_UNAVAILABLE when the directory cannot be written.
 */
export function openEventLog<T>(directory: string, options: EventLogOptions): SqliteEventLog<T> {
  makePrivateDirectory(directory);
  let reason = '';
  for (let number = 0; number < MOST_LOGS; number += 1) {
    const file = join(directory, `events-${number}.sqlite`);
    try {
      if (isDamaged(file)) options.log.warn('A damaged log of events was set aside', { file: setAside(file) });
      return new SqliteEventLog<T>(openSqliteFile(file, SCHEMA), options);
    } catch (error) {
      reason = messageOf(error);
      if (!/locked|busy/i.test(reason)) break;
    }
  }
  throw new AppError('SPOOL_UNAVAILABLE', `No log of events can be opened in ${directory}: ${reason}`);
}

/** An event log in a file of SQLite. Events come a few times a minute, so it writes where it is called, all that wait at once. */
export class SqliteEventLog<T> implements Disposable {
  readonly id: string;
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keep: number;
  readonly #insert: StatementSync;
  readonly #trim: StatementSync;
  readonly #select: StatementSync;
  readonly #listeners = new Set<(logged: Logged<T>) => void>();
  readonly #closed = new AbortController();
  /** The newest, without a hole up to `newest`. */
  #recent: Logged<T>[] = [];
  #waiting: T[] = [];
  #asked = false;
  #failing = false;
  #oldest: number;
  #newest: number;

  constructor(db: DatabaseSync, { clock, log, keep = KEEP, maxPages }: EventLogOptions) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#keep = keep;
    if (maxPages !== undefined) this.allow(maxPages);
    this.#insert = db.prepare('insert into event (number, body) values (?, ?)');
    this.#trim = db.prepare('delete from event where number <= ?');
    this.#select = db.prepare('select number, body from event where number > ? order by number limit ?');
    this.id = String(db.prepare('select id from log').get()?.id);
    const last = db.prepare(`select seq from sqlite_sequence where name = 'event'`).get()?.seq;
    const first = db.prepare('select min(number) as number from event').get()?.number;
    this.#newest = Number(last ?? 0);
    this.#oldest = Number(first ?? this.#newest + 1);
  }

  get oldest(): number {
    return this.#oldest;
  }

  get newest(): number {
    return this.#newest;
  }

  /** Lets the file grow to so many pages. */
  allow(maxPages: number): void {
    this.#db.exec(`pragma max_page_count = ${Math.round(maxPages)}`);
  }

  append(event: T): void {
    if (this.#closed.signal.aborted) return;
    if (this.#waiting.length === MAX_WAITING) {
      this.#waiting.shift();
      this.#log.error('An event is lost: the disk has taken none for too long', {});
    }
    this.#waiting.push(event);
    if (this.#asked) return;
    this.#asked = true;
    setImmediate(() => this.#write());
  }

  /** Returns the number of an event that is durable, as is all that waited before it. @throws what the disk says; the event is not kept then. */
  appendNow(event: T): number {
    if (this.#closed.signal.aborted) throw new AppError('SPOOL_UNAVAILABLE', 'The log of events is closed');
    this.#waiting.push(event);
    try {
      this.#commit();
      return this.#newest;
    } catch (error) {
      this.#waiting.pop();
      throw error;
    }
  }

  after(number: number, limit: number): readonly Logged<T>[] {
    const first = this.#recent[0]?.number ?? Number.POSITIVE_INFINITY;
    if (number + 1 >= first) return this.#recent.slice(number + 1 - first, number + 1 - first + limit);
    if (number >= this.#newest) return [];
    return this.#select
      .all(number, limit)
      .map((row) => ({ number: Number(row.number), event: JSON.parse(String(row.body)) as T }));
  }

  onEvent(listener: (logged: Logged<T>) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Writes what waits. Repeating changes nothing. */
  [Symbol.dispose](): void {
    if (this.#closed.signal.aborted) return;
    this.#write();
    this.#closed.abort();
    this.#db.close();
  }

  #write(): void {
    if (this.#closed.signal.aborted) return;
    this.#asked = false;
    if (this.#waiting.length === 0) return;
    try {
      this.#commit();
    } catch (error) {
      this.#retry(error);
    }
  }

  #commit(): void {
    const logged = this.#waiting.map((event, index) => ({ number: this.#newest + 1 + index, event }));
    const oldest = Math.max(this.#oldest, this.#newest + logged.length - this.#keep + 1);
    try {
      this.#db.exec('begin immediate');
      for (const { number, event } of logged) this.#insert.run(number, JSON.stringify(event));
      if (oldest > this.#oldest) this.#trim.run(oldest - 1);
      this.#db.exec('commit');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback');
      throw error;
    }
    this.#failing = false;
    this.#waiting = [];
    this.#oldest = oldest;
    this.#newest += logged.length;
    this.#recent = [...this.#recent, ...logged].slice(-Math.min(IN_MEMORY, this.#keep));
    for (const one of logged) for (const listener of [...this.#listeners]) listener(one);
  }

  #retry(error: unknown): void {
    if (!this.#failing) this.#log.error('Events cannot be written, trying again', { reason: messageOf(error) });
    this.#failing = true;
    this.#asked = true;
    this.#clock.sleep(RETRY_MS, this.#closed.signal).then(
      () => this.#write(),
      () => {},
    );
  }
}
