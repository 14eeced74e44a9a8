/** Many seeds, each a run of the real pipeline in virtual time under its own faults: nothing may be missing, double or falsely proven. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { StretchChange } from '../../src/market/coverage.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { TradeCommit } from '../../src/storage/trade-writer.ts';
import { COUNTED, simulate } from './simulate.ts';

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 200);
const FIRST = Number(process.env.SIMULATION_FIRST ?? 1);
const MINUTES = 60_000;

describe('the pipeline under simulated faults', () => {
  const failures: string[] = [];
  const counts: Record<string, number> = {};

  beforeAll(async () => {
    const startedAt = performance.now();
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const outcome = await simulate(seed);
      if (outcome.wrong.length > 0) failures.push(`seed ${seed}: ${outcome.wrong.slice(0, 5).join('; ')}`);
      for (const [name, count] of Object.entries(outcome.counts)) counts[name] = (counts[name] ?? 0) + count;
    }
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${SEEDS} seeds in ${seconds} s, ${failures.length} with something wrong: ${JSON.stringify(counts)}`);
  }, 30 * MINUTES);

  it('loses, doubles, corrupts and falsely proves nothing, whatever the seed', () => {
    expect(failures).toEqual([]);
  });

  it('has met every fault it is about, else it says nothing', () => {
    expect(COUNTED.filter((name) => !counts[name])).toEqual([]);
  });

  it('does the same again for the same seed', async () => {
    for (const seed of [FIRST, FIRST + 1, FIRST + 2])
      expect((await simulate(seed)).hash).toBe((await simulate(seed)).hash);
  });
});

const changing = (change: (one: StretchChange) => StretchChange) => () => (commit: TradeCommit) => ({
  ...commit,
  changes: commit.changes.map(change),
});

/** Changes the third commit with trades. */
const once = (change: (commit: TradeCommit) => TradeCommit) => () => {
  let left = 3;
  return (commit: TradeCommit) => {
    if (commit.trades.length > 0) left -= 1;
    return commit.trades.length > 0 && left === 0 ? change(commit) : commit;
  };
};

describe('the oracle', () => {
  it.each<[string, RegExp, () => (commit: TradeCommit) => TradeCommit]>([
    ['a row that is dropped', /FALSE PROVEN/, once((commit) => ({ ...commit, trades: commit.trades.slice(1) }))],
    [
      'a row that is changed',
      /CORRUPT/,
      once(({ trades, ...rest }) => ({
        ...rest,
        trades: trades.map((one) => ({ ...one, trade: { ...one.trade, price: decimal('1') } })),
      })),
    ],
    [
      'a gap that is called proven',
      /FALSE PROVEN/,
      changing((one) =>
        one.stretch?.status === 'GAP' ? { ...one, stretch: { ...one.stretch, status: 'PROVEN' } } : one,
      ),
    ],
    [
      'a gap nobody is told of',
      /MISSING|OVERLAP|FALSE/,
      changing((one) => (one.stretch?.status === 'UNFILLABLE' ? { ...one, stretch: null } : one)),
    ],
    ['a ledger that is not written', /UNDECLARED|MISSING|FALSE/, once((commit) => ({ ...commit, changes: [] }))],
  ])(
    'finds %s',
    async (_, expected, sabotage) => {
      const found: string[] = [];
      for (let seed = 1; seed <= 10; seed += 1) found.push(...(await simulate(seed, { sabotage: sabotage() })).wrong);
      expect(found.join('\n')).toMatch(expected);
    },
    MINUTES,
  );
});
