import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { portToComeBackTo } from '../support/port.ts';
import type { Place } from './direct.ts';
import { sleep, until } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The end of what a server printed; enough to see why it ended. */
const OUTPUT_KEPT = 64 * 1024;

export interface ServerOptions {
  readonly config: object;
  readonly place: Place;
  /** Beside other servers of the same place: a data directory of its own. */
  readonly dataDir?: string;
  readonly collectors: number;
  /** Beside what every server has. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** The real server as a process that may be killed and started again, always on the same port. */
export class ServerUnderTest implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #port: number;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #output = '';

  private constructor(options: ServerOptions, port: number) {
    this.#options = options;
    this.#port = port;
  }

  static async create(options: ServerOptions): Promise<ServerUnderTest> {
    return new ServerUnderTest(options, await portToComeBackTo());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get alive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The end of what it printed in all its lives. */
  get output(): string {
    return this.#output;
  }

  /** Starts the process, and nothing more. It ends with this process, however that ends. */
  spawn(crashPoint: string | null = null): void {
    const { config, place, env, dataDir = join(place.dataDir, 'data') } = this.#options;
    const file = `${dataDir}.config.json`;
    writeFileSync(file, JSON.stringify(config));
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(
      process.execPath,
      [MAIN, '--config', file, '--port', String(this.#port), '--data-dir', dataDir],
      {
        env: {
          PATH,
          HOME,
          ...env,
          ...(place.url === null ? {} : { DATABASE_URL: place.url }),
          ...(crashPoint === null ? {} : { TCP_CRASH_POINT: crashPoint }),
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_KEPT);
      });
    this.#exited = once(child, 'exit');
    this.#child = child;
  }

  /**
   * Resolves when it answers, calls itself ready and all its collectors run: after how many ms from now. Null when it died first.
   * @throws {TimedOut}
   */
  async ready(ms = 40_000): Promise<number | null> {
    const startedAt = performance.now();
    try {
      await until(
        'ready',
        ms,
        async () => {
          if (!this.alive) return true;
          if ((await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) })).status !== 200) return false;
          const { data } = await this.ask('{ collectors(state: [RUNNING]) { name } }');
          const running = (data?.collectors ?? []) as readonly unknown[];
          return running.length === this.#options.collectors;
        },
        25,
      );
    } catch (error) {
      throw new Error(`The server does not get ready: ${this.#output.slice(-4_000)}`, { cause: error });
    }
    return this.alive ? performance.now() - startedAt : null;
  }

  async start(crashPoint: string | null = null): Promise<number | null> {
    this.spawn(crashPoint);
    const ready = await this.ready();
    if (ready === null && crashPoint === null)
      throw new Error(`The server ended by itself: ${this.#output.slice(-4_000)}`);
    return ready;
  }

  /** @throws when there is no answer, or none in time. */
  async ask(query: string, variables: object = {}, timeoutMs = 10_000): Promise<Answer> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return (await response.json()) as Answer;
  }

  /** What it answers to a message of its parent. @throws when it is not there any more. */
  async tell<T>(message: object): Promise<T> {
    const child = this.#child as ChildProcess;
    const answered = once(child, 'message');
    child.send(message);
    const [answer] = await Promise.race([answered, this.#exited.then(() => Promise.reject(new Error(this.#output)))]);
    return answer as T;
  }

  /** Whether it killed itself within so many ms. @throws when it ended in any other way. */
  async diesWithin(ms: number): Promise<boolean> {
    const dead = await Promise.race([this.#exited.then(() => true), sleep(ms).then(() => !this.alive)]);
    if (dead && this.#child?.signalCode !== 'SIGKILL')
      throw new Error(`The server ended with ${this.#child?.exitCode}: ${this.#output.slice(-4_000)}`);
    return dead;
  }

  /** Ends it and gives its exit code; null after SIGKILL. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (this.alive) this.#child?.kill(signal);
    await this.#exited;
    return this.#child?.exitCode ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}
