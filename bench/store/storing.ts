import type { Trade } from '../../src/market/market-event.ts';
import { answer, cpuSeconds } from '../frame/answer.ts';
import { makeTrades, type Stored, type StorePlan } from './trades.ts';

/** A process under test: `open` connects and returns what stores all trades, which are made beforehand. */
export function storeIt(open: (plan: StorePlan) => Promise<(trades: readonly Trade[]) => Promise<unknown>>): void {
  let trades: readonly Trade[] = [];
  let store: (trades: readonly Trade[]) => Promise<unknown> = () => Promise.resolve();
  answer({
    async open(plan: StorePlan) {
      const all = makeTrades(plan);
      store = await open(plan);
      await store(all.slice(0, plan.warmUp));
      trades = all.slice(plan.warmUp);
    },
    async store(): Promise<Stored> {
      const [cpu, wall] = [cpuSeconds(), performance.now()];
      await store(trades);
      return { cpuSeconds: cpuSeconds() - cpu, wallSeconds: (performance.now() - wall) / 1_000 };
    },
  });
}

/** Rows that go into one statement, or are given to a stream at once. */
export function* chunksOf<T>(rows: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}
