import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../src/collectors/pacing/rate-limit.ts';
import { EXCHANGES } from '../../../src/exchanges/registry.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** What the exchanges print as theirs, in the unit of the adapter's budget. */
const OWN_LIMIT = { okx: 200, binance: 6_000 } as const;

interface Served {
  readonly at: number;
  readonly cost: number;
}

/** The most that any stretch of `perMs` saw, both ends included: two requests that are exactly `perMs` apart count together. */
function busiest(served: readonly Served[], perMs: number): number {
  let [most, sum, oldest] = [0, 0, 0];
  for (const { at, cost } of served) {
    sum += cost;
    while ((served[oldest] as Served).at < at - perMs) sum -= (served[oldest++] as Served).cost;
    most = Math.max(most, sum);
  }
  return most;
}

describe.each(Object.entries(EXCHANGES))('the REST budget of %s', (id, { rest }) => {
  const { weight, perMs, burst } = rest.budget;
  const costs = [
    rest.recentTrades('X').weight,
    rest.orderBook('X').weight,
    rest.tradesPage('X', { afterId: '1', beforeId: '9' }).weight,
  ];
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      cost: fc.constantFrom(...costs),
      count: fc.integer({ min: 1, max: 60 }),
    }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3 * perMs }) }),
    fc.record({ kind: fc.constant('block' as const), ms: fc.integer({ min: 1, max: 3 * perMs }) }),
    fc.record({ kind: fc.constant('abort' as const) }),
  );

  it('keeps the limit of the exchange in every window, wherever it begins, also after Retry-After', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const clock = new ManualClock();
        const limit = new RateLimit(clock, { amount: weight, perMs, burst });
        const served: Served[] = [];
        let early = 0;
        let leaving = new AbortController();
        let blockedUntil = 0;
        for (const one of steps) {
          const [askedAt, blockedThen] = [clock.monotonic(), blockedUntil];
          if (one.kind === 'ask')
            for (let n = 0; n < one.count; n++)
              void limit.take(one.cost, leaving.signal).then(
                () => {
                  const at = clock.monotonic();
                  // Who was let through in the very moment of the block was before it.
                  if (at < (at === askedAt ? blockedThen : blockedUntil)) early += 1;
                  served.push({ at, cost: one.cost });
                },
                () => undefined,
              );
          else if (one.kind === 'pass') await clock.advance(one.ms);
          else if (one.kind === 'block') {
            limit.block(one.ms);
            blockedUntil = Math.max(blockedUntil, clock.monotonic() + one.ms);
          } else {
            leaving.abort();
            leaving = new AbortController();
          }
        }
        await clock.advance(20 * perMs);
        expect(early).toBe(0);
        expect(busiest(served, perMs)).toBeLessThanOrEqual(OWN_LIMIT[id as keyof typeof OWN_LIMIT]);
      }),
      { numRuns: 60 },
    );
  });

  it('is used up: a queue that never ends gets what the budget promises', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, { amount: weight, perMs, burst });
    const cost = rest.tradesPage('X', { afterId: '1', beforeId: '9' }).weight;
    let served = 0;
    for (let n = 0; n < (3 * weight) / cost; n++) void limit.take(cost).then(() => (served += 1));
    await clock.advance(2 * perMs);
    expect(served * cost).toBeGreaterThanOrEqual(2 * weight);
  });
});

describe('the queue of a rate limit', () => {
  it('goes on behind somebody who left, who has taken nothing', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, { amount: 1, perMs: 100 });
    const leaving = new AbortController();
    const served: string[] = [];
    for (const name of ['first', 'leaves', 'last'])
      void limit.take(1, name === 'leaves' ? leaving.signal : undefined).then(
        () => served.push(`${name} at ${clock.monotonic()}`),
        () => served.push(`${name} gave up at ${clock.monotonic()}`),
      );
    await clock.advance(20);
    leaving.abort();
    await clock.advance(200);
    expect(served).toEqual(['first at 0', 'leaves gave up at 20', 'last at 100']);
  });

  it('does not let all go at once when a block ends', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, { amount: 10, perMs: 1_000, burst: 1 });
    const served: number[] = [];
    for (let n = 0; n < 4; n++) void limit.take().then(() => served.push(clock.monotonic()));
    limit.block(5_000);
    await clock.advance(10_000);
    expect(served).toEqual([0, 5_000, 5_100, 5_200]);
  });

  it('is idle when nobody waits and enough is saved up', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, { amount: 10, perMs: 1_000, burst: 4 });
    expect(limit.idle).toBe(true);
    await limit.take(4);
    expect(limit.idle).toBe(false);
    await clock.advance(200);
    expect(limit.idle).toBe(true);
    limit.block(50);
    expect(limit.idle).toBe(false);
  });
});
