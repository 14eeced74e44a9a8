import { Worker } from 'node:worker_threads';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BackupAnswer, BackupPlan } from './backup-worker.ts';
import { type BackupKeys, encrypterOf } from './keys.ts';

export interface ScheduleOptions {
  readonly everyMs: number;
  readonly keys: BackupKeys;
  /** When the newest backup that counts was made, ms; null without one. */
  readonly newest: () => Promise<number | null>;
  /** Makes one and verifies it; ends early when the signal says so. */
  readonly run: (stop: AbortSignal) => Promise<BackupAnswer>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the schedule is doing. */
export interface BackupStatus {
  readonly everyMs: number;
  /** When the newest backup that counts was made, wall ms; null when there is none, or nobody has looked yet. */
  readonly newestAt: number | null;
  /** Runs that failed since the start. */
  readonly failures: number;
  /** Whether the last run failed. */
  readonly failing: boolean;
}

const LOOK_MS = 60_000;
/** After a failure; the disk may have to be cleared, the database to come back. */
const RETRY_MS = 15 * 60_000;

/**
 * Makes a backup whenever the newest one that counts is older than it may be, also when the server was off meanwhile.
 * @throws {AppError} CONFIG_INVALID when the keys are none.
 */
export class BackupSchedule implements AsyncDisposable {
  readonly #options: ScheduleOptions;
  readonly #stop = new AbortController();
  readonly #timer: Disposable;
  #running: Promise<void> | null = null;
  #notBefore = Number.NEGATIVE_INFINITY;
  #newestAt: number | null = null;
  #failures = 0;
  #failing = false;

  constructor(options: ScheduleOptions) {
    encrypterOf(options.keys);
    this.#options = options;
    this.#timer = options.clock.every(LOOK_MS, () => this.#look());
  }

  status(): BackupStatus {
    const { everyMs } = this.#options;
    return { everyMs, newestAt: this.#newestAt, failures: this.#failures, failing: this.#failing };
  }

  #look(): void {
    this.#running ??= this.#runWhenDue().finally(() => {
      this.#running = null;
    });
  }

  async #runWhenDue(): Promise<void> {
    const { everyMs, run, clock } = this.#options;
    try {
      if (clock.monotonic() < this.#notBefore) return;
      const age = clock.now() - ((await this.#readNewest()) ?? Number.NEGATIVE_INFINITY);
      if (age >= 0 && age < everyMs) return; // a clock that was put back does not keep us from making one
      const answer = await run(this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      if ('path' in answer) {
        this.#made(answer);
        await this.#readNewest();
      } else this.#failed(answer.code === null ? answer.message : `${answer.code}: ${answer.message}`);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#failed(messageOf(error));
    }
  }

  async #readNewest(): Promise<number | null> {
    this.#newestAt = await this.#options.newest();
    return this.#newestAt;
  }

  #made(answer: BackupAnswer & { readonly verified: boolean }): void {
    const { everyMs, clock, log } = this.#options;
    this.#notBefore = clock.monotonic() + everyMs;
    this.#failing = false;
    if (answer.verified) log.info('A backup was made and verified', { ...answer });
    else
      log.warn('A backup was made; it counts once it is verified where its identity is: npm run backup -- verify', {
        ...answer,
      });
  }

  #failed(reason: string): void {
    const { clock, log } = this.#options;
    this.#notBefore = clock.monotonic() + RETRY_MS;
    this.#failures += 1;
    this.#failing = true;
    log.error('The backup failed; it is tried again', { reason, inMs: RETRY_MS });
  }

  /** Ends one that is under way; its parts are cleared by the next. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    this.#stop.abort();
    await this.#running;
  }
}

/** Makes one in a thread of its own. */
export async function backUpInThread(plan: BackupPlan, stop: AbortSignal): Promise<BackupAnswer> {
  const thread = new Worker(new URL('./backup-worker.ts', import.meta.url), { workerData: plan });
  const { promise, resolve, reject } = Promise.withResolvers<BackupAnswer>();
  thread.once('message', resolve);
  thread.once('error', reject);
  thread.once('exit', () =>
    reject(new AppError('DATABASE_UNAVAILABLE', 'The thread that made the backup ended early')),
  );
  const end = () => void thread.terminate();
  stop.addEventListener('abort', end, { once: true });
  try {
    return await promise;
  } finally {
    stop.removeEventListener('abort', end);
    await thread.terminate();
  }
}
