import { rm } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../runtime/clock.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Address } from '../database-url.ts';
import { chooseSocket, clusterDir, findCluster, prepareDataDir, type SocketPlace, unfinishedDir } from './data-dir.ts';
import { DataDirLock } from './data-dir-lock.ts';
import type { EmbeddedPlan } from './pglite-worker.ts';

const FIRST_RESTART_MS = 250;
const LONGEST_RESTART_MS = 10_000;
/** A clean close that takes longer is cut short; the write-ahead log makes that safe. */
const CLOSE_MS = 5_000;

/** Where the embedded database answers, by the directory of its socket. */
export const addressOf = (directory: string): Address => ({
  ...{ host: directory, port: 5432, user: 'postgres', database: 'postgres', ssl: false as const },
});

/** The embedded database: one directory, one process, one worker thread behind one socket. */
export class EmbeddedServer implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #owned = new AsyncDisposableStack();
  readonly #socket: SocketPlace;
  #thread: Worker | null = null;
  #watch: Promise<void> = Promise.resolve();

  private constructor(dataDir: string, socket: SocketPlace, clock: Clock, log: Log) {
    this.#dataDir = dataDir;
    this.#socket = socket;
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws {AppError} CONFIG_INVALID when the directory cannot be used, DATA_DIR_IN_USE; DATABASE_UNAVAILABLE when the files cannot be opened. */
  static async start(dataDir: string, clock: Clock, log: Log): Promise<EmbeddedServer> {
    await prepareDataDir(dataDir);
    await using opening = new AsyncDisposableStack();
    opening.use(await DataDirLock.take(dataDir, clock));
    const server = new EmbeddedServer(dataDir, opening.use(await chooseSocket(dataDir)), clock, log);
    const first = await server.#launch();
    server.#watch = server.#keepRunning(first.ended);
    server.#owned.use(opening.move());
    return server;
  }

  get address(): Address {
    return addressOf(this.#socket.directory);
  }

  /** The running thread; null while it is being restarted. */
  get thread(): Worker | null {
    return this.#thread;
  }

  /** Resolves when it listens; `ended` tells in words how it ended. */
  async #launch(): Promise<{ readonly ended: Promise<string> }> {
    await rm(this.#socket.path, { force: true });
    const found = await findCluster(this.#dataDir, this.#clock.now(), this.#log);
    if (!found) this.#log.info('Making the embedded database', { directory: this.#dataDir });
    const plan: EmbeddedPlan = {
      cluster: clusterDir(this.#dataDir),
      makeIn: found ? null : unfinishedDir(this.#dataDir),
      socketPath: this.#socket.path,
    };
    const thread = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: plan });
    const ended = new Promise<string>((resolve) => {
      thread.once('error', (error) => resolve(messageOf(error)));
      thread.once('exit', (code) => resolve(`exit code ${code}`));
    });
    const ready = new Promise<null>((resolve) => thread.once('message', () => resolve(null)));
    const failure = await Promise.race([ready, ended]);
    if (failure !== null)
      throw new AppError('DATABASE_UNAVAILABLE', `The embedded database in ${this.#dataDir} did not start: ${failure}`);
    this.#thread = thread;
    return { ended };
  }

  async #keepRunning(first: Promise<string>): Promise<void> {
    let running: Promise<string> | null = first;
    let wait = FIRST_RESTART_MS;
    while (!this.#closing.signal.aborted) {
      if (running !== null) {
        const reason = await running;
        this.#thread = null;
        running = null;
        if (this.#closing.signal.aborted) return;
        this.#log.error('The embedded database stopped; it is started again', { reason, inMs: wait });
      }
      await this.#clock.sleep(wait, this.#closing.signal).catch(() => {});
      if (this.#closing.signal.aborted) return;
      wait = Math.min(LONGEST_RESTART_MS, wait * 2);
      try {
        running = (await this.#launch()).ended;
        wait = FIRST_RESTART_MS;
        this.#log.info('The embedded database runs again');
      } catch (error) {
        this.#log.error('The embedded database did not start', { error: messageOf(error), inMs: wait });
      }
    }
  }

  /** Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const thread = this.#thread;
    if (thread !== null) {
      thread.postMessage('close');
      const cut = setTimeout(() => void thread.terminate(), CLOSE_MS);
      await this.#watch;
      clearTimeout(cut);
    }
    await this.#watch;
    await this.#owned.disposeAsync();
  }
}
