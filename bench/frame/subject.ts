import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Turn } from './bench.ts';

/** A turn that takes longer than this has failed. */
const ANSWER_MS = 180_000;
const END_MS = 10_000;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** What a process has used so far. */
export interface Usage {
  /** Of all its threads, user and system. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** A process that does what it is asked; what it uses is its own. Its file calls `answer` of answer.ts. */
export class Subject implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #output = '';

  constructor(file: URL, flags: readonly string[] = []) {
    const { PATH = '', HOME = '' } = process.env;
    this.#child = fork(fileURLToPath(file), [], {
      ...{ execArgv: [...flags], env: { PATH, HOME }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-4_096);
      });
    this.#child.on('message', ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.#child.once('exit', (code, signal) => {
      for (const waiting of this.#waiting.values())
        waiting.reject(new Error(`${file.pathname.split('/').at(-1)} ended (${signal ?? code}): ${this.#output}`));
    });
  }

  /** @throws what the process threw, or that it does not answer. */
  async ask<T>(name: string, argument?: unknown): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const timer = setTimeout(() => {
      waiting.reject(new Error(`No answer to "${name}" in ${ANSWER_MS / 1_000} s: ${this.#output}`));
    }, ANSWER_MS);
    this.#child.send({ id, name, argument }, (error) => {
      if (error) waiting.reject(new Error(`No "${name}" (${error.message}): ${this.#output}`));
    });
    try {
      return (await waiting.promise) as T;
    } finally {
      clearTimeout(timer);
    }
  }

  usage(): Promise<Usage> {
    return this.ask<Usage>('usage');
  }

  /** Does the work; where the turn asks for it under a profiler of the main thread. */
  async profiled<T>({ profile }: Turn, work: () => Promise<T>): Promise<T> {
    if (profile === null) return work();
    await this.ask('beginProfile');
    const done = await work();
    await this.ask('endProfile', join(profile, 'main.cpuprofile'));
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    if (this.#child.connected) this.#child.disconnect(); // which ends it
    await gone;
    clearTimeout(timer);
  }
}
