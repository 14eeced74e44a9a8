import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../runtime/errors.ts';
import type { DecimalBounds } from '../storage/export-state.ts';
import type { ExportFormat } from './request.ts';
import type { Column, Page } from './table.ts';

/** What the thread is told at its start. */
export interface EncoderPlan {
  readonly format: ExportFormat;
  readonly columns: readonly Column[];
  readonly bounds: DecimalBounds;
}

/** A page; null: that was the last one. */
export type EncoderTask = Page | null;

/** What became of a task, in the order of tasks. Before the first comes the beginning of the file. */
export type EncoderAnswer =
  | { readonly bytes: Uint8Array | null }
  | { readonly failure: { readonly code: ErrorCode | null; readonly message: string } };

/** What it holds is bounded by a group of rows; without a bound V8 takes what it finds. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

/** An encoder in a thread of its own: a million rows are seconds of work, in which recording would stand still. */
export class EncoderThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<Uint8Array | null>[] = [];
  #ended: Error | null = null;

  constructor(plan: EncoderPlan) {
    this.#worker = new Worker(new URL('./encoder-worker.ts', import.meta.url), {
      workerData: plan,
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', (answer: EncoderAnswer) => {
      const next = this.#waiting.shift();
      if ('bytes' in answer) return next?.resolve(answer.bytes);
      const { code, message } = answer.failure;
      next?.reject(code === null ? new Error(message) : new AppError(code, message));
    });
    this.#worker.on('error', (error: Error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('The encoder ended')));
  }

  /** How the file begins. Call it first. */
  begin(): Promise<Uint8Array | null> {
    return this.#answer();
  }

  encode(task: EncoderTask): Promise<Uint8Array | null> {
    this.#worker.postMessage(task);
    return this.#answer();
  }

  #answer(): Promise<Uint8Array | null> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const answer = Promise.withResolvers<Uint8Array | null>();
    answer.promise.catch(() => {});
    this.#waiting.push(answer);
    return answer.promise;
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const answer of this.#waiting.splice(0)) answer.reject(error);
  }

  /** Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
