import { answer, cpuSeconds } from '../frame/answer.ts';
import type { Ingested, IngestPlan } from './ingest.ts';

/** Counts what is in, and tells when it is as much as was asked for and what it took. */
export class Taken {
  #count = 0;
  #until = 0;
  #begin = { cpu: 0, wall: 0 };
  #reached = Promise.withResolvers<Ingested>();

  add(count: number): void {
    this.#count += count;
    if (this.#count < this.#until) return;
    this.#reached.resolve({
      cpuSeconds: cpuSeconds() - this.#begin.cpu,
      wallSeconds: (performance.now() - this.#begin.wall) / 1_000,
    });
  }

  /** From now on, until so many more are in. */
  begin(frames: number): void {
    this.#until += frames;
    this.#reached = Promise.withResolvers();
    this.#begin = { cpu: cpuSeconds(), wall: performance.now() };
  }

  reached(): Promise<Ingested> {
    return this.#reached.promise;
  }
}

/** A process under test: it opens what takes trades in. */
export function takeIn(open: (plan: IngestPlan, taken: Taken) => unknown): void {
  const taken = new Taken();
  answer({
    open: async (plan: IngestPlan) => void (await open(plan, taken)),
    begin: (frames: number) => taken.begin(frames),
    reached: () => taken.reached(),
  });
}

/** As every client of OKX asks. */
export const subscribeFrame = (symbols: readonly string[]): string =>
  JSON.stringify({ op: 'subscribe', args: symbols.map((instId) => ({ channel: 'trades', instId })) });
