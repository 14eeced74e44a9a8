import { sleep } from '../chaos/wait.ts';

const EVERY_MS = 20;

/** Asks one address again and again, one question after the other, and notes how long each answer took, ms. */
export class Probe implements AsyncDisposable {
  readonly #times: number[] = [];
  readonly #url: string;
  readonly #running: Promise<void>;
  #ended = false;

  constructor(url: string) {
    this.#url = url;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const askedAt = performance.now();
      const answer = await fetch(this.#url, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
      await answer?.arrayBuffer();
      this.#times.push(answer?.ok ? performance.now() - askedAt : 10_000);
      await sleep(EVERY_MS);
    }
  }

  /** Answers so far. */
  get count(): number {
    return this.#times.length;
  }

  /** All times so far; there are no more. */
  async end(): Promise<readonly number[]> {
    this.#ended = true;
    await this.#running;
    return this.#times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
