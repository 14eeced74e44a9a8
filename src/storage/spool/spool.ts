import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { makePrivateDirectory } from '../../runtime/private-directory.ts';
import type { SpoolAnswer, SpoolCall, SpooledRow, SpoolPlan } from './spool-worker.ts';

export type { SpooledRow } from './spool-worker.ts';

/** Servers that may share one data directory, as during a rolling restart. */
const MOST_SPOOLS = 64;

/**
 * What is durable here before anybody sees it, and stays until the database has it: batches by number, in one SQLite file that one
 * process at a time has open. A call resolves when the disk has it.
 */
export class Spool implements AsyncDisposable {
  /** Names this spool for ever, whatever the process. */
  readonly owner: string;
  /** The writer whose numbers its trades carry; null before the first. */
  writer: number | null;
  /** Of the disk, in use. */
  bytes: number;
  readonly #thread: Worker;
  readonly #ended: Promise<number>;
  readonly #calls = new Map<number, PromiseWithResolvers<SpoolAnswer>>();
  #lastId = 0;

  private constructor(thread: Worker, first: SpoolAnswer) {
    this.#thread = thread;
    this.bytes = first.bytes ?? 0;
    this.owner = first.notes?.owner ?? randomUUID();
    const writer = first.notes?.writer;
    this.writer = writer === undefined || writer === '' ? null : Number(writer);
    thread.on('message', (answer: SpoolAnswer) => this.#answered(answer));
    this.#ended = new Promise((resolve) => thread.once('exit', resolve));
    void this.#ended.then(() => this.#fail('its thread has ended'));
    thread.on('error', (error) => this.#fail(error.message));
  }

  /**
   * Opens the first spool of a directory that nobody holds; one with something in it comes first.
   * @throws {AppError} SPOOL_UNAVAILABLE when there is none, or the directory cannot be written.
   */
  static async open(directory: string, limitBytes: number, log: Log): Promise<Spool> {
    makePrivateDirectory(directory);
    let [reason, empty]: [string, Spool | null] = ['', null];
    for (let number = 0; number < MOST_SPOOLS; number += 1) {
      const file = join(directory, `spool-${number}.sqlite`);
      if (empty !== null && !existsSync(file)) break;
      const opened = await Spool.#start({ file, limitBytes });
      if (!(opened instanceof Spool)) {
        reason = opened.reason;
        if (!/locked|busy/i.test(reason)) break;
      } else if ((await opened.read(0, 1)).length > 0) {
        await empty?.[Symbol.asyncDispose]();
        return opened.#taken(log);
      } else if (empty === null) empty = opened;
      else await opened[Symbol.asyncDispose]();
    }
    if (empty !== null) return empty.#taken(log);
    throw new AppError('SPOOL_UNAVAILABLE', `No spool can be opened in ${directory}: ${reason}`);
  }

  async #taken(log: Log): Promise<this> {
    await this.#call({ do: 'note', name: 'owner', value: this.owner });
    log.debug('The spool is open', { bytes: this.bytes });
    return this;
  }

  static async #start(plan: SpoolPlan): Promise<Spool | { readonly reason: string }> {
    const thread = new Worker(new URL('./spool-worker.ts', import.meta.url), { workerData: plan });
    const { promise, resolve } = Promise.withResolvers<Spool | { readonly reason: string }>();
    thread.once('message', (first: SpoolAnswer) => resolve(new Spool(thread, first)));
    thread.once('error', (error) => resolve({ reason: error.message }));
    return promise;
  }

  /** @throws {AppError} SPOOL_FULL, which may pass; SPOOL_UNAVAILABLE, after which nobody knows what the disk holds. */
  async append(rows: readonly SpooledRow[]): Promise<void> {
    const { bytes } = await this.#call({ do: 'append', rows });
    this.bytes = bytes ?? this.bytes;
  }

  /** Up to `maxRows` batches after a number, in order; of damaged ones the body is empty. */
  async read(after: number, maxRows: number): Promise<readonly SpooledRow[]> {
    return (await this.#call({ do: 'read', after, maxRows })).rows ?? [];
  }

  /** Lets go of batches up to a number. */
  async discard(through: number): Promise<void> {
    const { bytes } = await this.#call({ do: 'discard', through });
    this.bytes = bytes ?? this.bytes;
  }

  /** Remembers whose numbers its trades carry; null: nobody's, it is empty and done with. */
  async setWriter(writer: number | null): Promise<void> {
    await this.#call({ do: 'note', name: 'writer', value: writer === null ? '' : String(writer) });
    this.writer = writer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#call({ do: 'close' }).catch(() => {});
    await this.#ended;
  }

  #call(call: SpoolCall): Promise<SpoolAnswer> {
    this.#lastId += 1;
    const waiting = Promise.withResolvers<SpoolAnswer>();
    this.#calls.set(this.#lastId, waiting);
    this.#thread.postMessage({ id: this.#lastId, call });
    return waiting.promise;
  }

  #answered(answer: SpoolAnswer): void {
    const waiting = this.#calls.get(answer.id);
    this.#calls.delete(answer.id);
    const { error } = answer;
    if (!error) waiting?.resolve(answer);
    else if (error.code === 'FULL')
      waiting?.reject(new AppError('SPOOL_FULL', `The spool has no room: ${error.message}`));
    else waiting?.reject(new AppError('SPOOL_UNAVAILABLE', `The spool cannot be written: ${error.message}`));
  }

  #fail(reason: string): void {
    for (const waiting of this.#calls.values())
      waiting.reject(new AppError('SPOOL_UNAVAILABLE', `The spool is gone: ${reason}`));
    this.#calls.clear();
  }
}
