import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Stretch, sizeOf } from '../../../src/market/coverage.ts';
import type { Provenance } from '../../../src/market/recorded-trade.ts';
import { isHere, TradeLedger } from '../../../src/pipeline/ledger/trade-ledger.ts';

type Step =
  | { readonly do: 'add'; readonly first: number; readonly count: number; readonly provenance: Provenance }
  | { readonly do: 'give-up' | 'declare' | 'retract'; readonly first: number; readonly count: number };

const place = { first: fc.integer({ min: 1, max: 60 }), count: fc.integer({ min: 1, max: 8 }) };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      ...place,
      provenance: fc.constantFrom<Provenance>('LIVE', 'BACKFILL', 'RECONCILED'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('give-up' as const, 'declare' as const, 'retract' as const), ...place }),
  },
);

/** What is known of every id, one by one: the plainest ledger there is. */
class ByHand {
  readonly here = new Set<bigint>();
  readonly missing = new Map<bigint, 'GAP' | 'UNFILLABLE'>();

  take(step: Step): void {
    const ids = idsOf(step);
    const head = this.#last;
    if ((step.do === 'add' || step.do === 'give-up' || step.do === 'retract') && head !== null)
      for (let id = head + 1n; id < (ids[0] ?? 0n); id += 1n) this.missing.set(id, 'GAP');
    // A late frame from before the first: the stream made all that lies between.
    if (step.do === 'add' && step.provenance === 'LIVE')
      for (const id of ids.toReversed()) {
        if (this.#spoken(id)) continue;
        const above = this.#above(id);
        for (let next = id + 1n; next < above; next += 1n) this.missing.set(next, 'GAP');
      }
    for (const id of ids)
      if (step.do === 'add') {
        this.here.add(id);
        this.missing.delete(id);
      } else if (step.do === 'declare') {
        if (!this.here.has(id)) this.missing.set(id, 'GAP');
      } else if (step.do === 'retract' || !this.here.has(id)) {
        this.here.delete(id);
        this.missing.set(id, 'UNFILLABLE');
      }
  }

  #spoken(id: bigint): boolean {
    return this.here.has(id) || this.missing.has(id);
  }

  /** The next id after one of which anything is said; the id itself when there is none. */
  #above(id: bigint): bigint {
    const later = [...this.here, ...this.missing.keys()].filter((one) => one > id);
    return later.length === 0 ? id : later.reduce((a, b) => (a < b ? a : b));
  }

  get #last(): bigint | null {
    const all = [...this.here, ...this.missing.keys()];
    return all.length === 0 ? null : all.reduce((a, b) => (a > b ? a : b));
  }
}

const idsOf = ({ first, count }: Step): bigint[] => Array.from({ length: count }, (_, at) => BigInt(first + at));

function apply(ledger: TradeLedger, step: Step, time: number): void {
  const range = { first: BigInt(step.first), last: BigInt(step.first + step.count - 1) };
  if (step.do === 'declare') ledger.declare(range, { from: 0, to: time, cause: 'asked for' }, time);
  else if (step.do === 'give-up') ledger.giveUp(range, 'gone', { time, now: time });
  else if (step.do === 'retract') ledger.retract(range, 'refused', { time, now: time });
  else if (step.do === 'add')
    for (const run of ledger.missing(range)) ledger.add(run, { time, provenance: step.provenance, now: time });
}

const each = (stretches: readonly Stretch[], wanted: (stretch: Stretch) => boolean): bigint[] =>
  stretches
    .filter(wanted)
    .flatMap((stretch) => Array.from({ length: Number(sizeOf(stretch)) }, (_, at) => stretch.first + BigInt(at)));

describe('TradeLedger', () => {
  it('knows of every id what happened to it, whatever came in whatever order', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const ledger = new TradeLedger();
        const byHand = new ByHand();
        const rows = new Map<bigint, Stretch>();
        for (const [time, step] of steps.entries()) {
          apply(ledger, step, time);
          byHand.take(step);
          for (const [first, stretch] of ledger.takeChanges())
            if (stretch) rows.set(first, stretch);
            else rows.delete(first);
        }
        const { stretches } = ledger;
        const sorted = (ids: Iterable<bigint>) => [...ids].toSorted((a, b) => (a < b ? -1 : 1));
        expect(each(stretches, isHere)).toEqual(sorted(byHand.here));
        for (const status of ['GAP', 'UNFILLABLE'] as const)
          expect(each(stretches, (one) => one.status === status)).toEqual(
            sorted([...byHand.missing].filter(([, is]) => is === status).map(([id]) => id)),
          );
        for (const [at, one] of stretches.entries()) {
          expect(one.last >= one.first && one.from <= one.to).toBe(true);
          expect(one.first > (stretches[at - 1]?.last ?? -1n)).toBe(true);
          expect(one.actual).toBe(isHere(one) ? Number(sizeOf(one)) : 0);
        }
        expect(sorted(rows.keys()).map((first) => rows.get(first))).toEqual(stretches);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is the same when what it says was written down and read again, and when all is told to it twice', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), fc.nat(30), (steps, cut) => {
        const whole = new TradeLedger();
        for (const [time, step] of steps.entries()) apply(whole, step, time);
        const first = new TradeLedger();
        for (const [time, step] of steps.slice(0, cut).entries()) apply(first, step, time);
        const second = new TradeLedger(structuredClone(first.stretches));
        for (const [time, step] of steps.slice(cut).entries()) apply(second, step, time + Math.min(cut, steps.length));
        expect(second.stretches).toEqual(whole.stretches);
        const adds = steps.filter((step) => step.do === 'add');
        const once = new TradeLedger();
        for (const [time, step] of adds.entries()) apply(once, step, time);
        const twice = new TradeLedger(structuredClone(once.stretches));
        for (const step of adds) apply(twice, step, 1_000);
        expect(twice.stretches).toEqual(once.stretches);
      }),
      { numRuns: 2_000 },
    );
  });

  it('goes on by extending as it does by adding', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const [added, extended] = [new TradeLedger(), new TradeLedger()];
        for (const [at, step] of steps.entries()) {
          const last = step.first + step.count - 1;
          const time = at % 3 === 0 ? at - 2 : at;
          const isNext = step.do === 'add' && extended.isNext(step.first);
          if (isNext) expect(extended.missing({ first: BigInt(step.first), last: BigInt(last) })).toHaveLength(1);
          apply(added, step, time);
          if (step.do !== 'add' || !extended.extend(step.first, last, time)) {
            expect(isNext).toBe(false);
            apply(extended, step, time);
          }
          if (at % 4 === 0) expect(extended.takeChanges()).toEqual(added.takeChanges());
          expect(extended.stretches).toEqual(added.stretches);
        }
        expect(extended.takeChanges()).toEqual(added.takeChanges());
      }),
      { numRuns: 2_000 },
    );
  });

  it('extends nothing where numbers are not exact, or its end is none that was proven', () => {
    const ledger = new TradeLedger();
    expect(ledger.isNext(1)).toBe(false);
    ledger.add({ first: 2n ** 53n - 1n, last: 2n ** 53n }, { time: 1, provenance: 'LIVE', now: 1 });
    expect(ledger.extend(2 ** 53 + 1, 2 ** 53 + 2, 2)).toBe(false);
    ledger.giveUp({ first: 2n ** 54n, last: 2n ** 54n }, 'gone', { time: 2, now: 2 });
    expect(ledger.isNext(2 ** 54 + 1)).toBe(false);
  });

  it('tells the ids of a range that are not here', () => {
    const ledger = new TradeLedger();
    const add = (first: bigint, last: bigint) => ledger.add({ first, last }, { time: 1, provenance: 'LIVE', now: 1 });
    add(10n, 12n);
    add(15n, 15n);
    expect(ledger.missing({ first: 8n, last: 20n })).toEqual([
      { first: 8n, last: 9n },
      { first: 13n, last: 14n },
      { first: 16n, last: 20n },
    ]);
    expect(ledger.missing({ first: 11n, last: 12n })).toEqual([]);
  });

  it('takes what lies between a late frame and what was the first trade so far for missing', () => {
    const ledger = new TradeLedger();
    for (const id of [10n, 7n]) ledger.add({ first: id, last: id }, { time: Number(id), provenance: 'LIVE', now: 100 });
    ledger.add({ first: 1n, last: 2n }, { time: 1, provenance: 'BACKFILL', now: 100 });
    expect(ledger.stretches).toMatchObject([
      { status: 'BACKFILLED', first: 1n, last: 2n },
      { status: 'PROVEN', first: 7n, last: 7n },
      { status: 'GAP', first: 8n, last: 9n, from: 7, to: 10, gap: 8n },
      { status: 'PROVEN', first: 10n, last: 10n },
    ]);
  });

  it('takes nothing for missing because of a frame from long before', () => {
    const ledger = new TradeLedger();
    for (const [id, time] of [
      [10n, 1_000_000],
      [7n, 1],
    ] as const)
      ledger.add({ first: id, last: id }, { time, provenance: 'LIVE', now: 100 });
    expect(ledger.open).toEqual([]);
  });

  it('forgets a gap that late frames fill by themselves, and remembers one that was fetched', () => {
    const ledger = new TradeLedger();
    const add = (id: bigint, provenance: Provenance) =>
      ledger.add({ first: id, last: id }, { time: Number(id), provenance, now: 100 });
    for (const id of [1n, 2n, 5n, 4n, 3n]) add(id, 'LIVE');
    expect(ledger.stretches).toMatchObject([{ status: 'PROVEN', first: 1n, last: 5n, actual: 5, gap: null }]);
    add(9n, 'LIVE');
    for (const id of [8n, 6n, 7n]) add(id, 'BACKFILL');
    expect(ledger.stretches).toMatchObject([
      { status: 'PROVEN', first: 1n, last: 5n },
      { status: 'BACKFILLED', evidence: 'REST_RECONCILED', first: 6n, last: 8n, actual: 3, gap: 6n, gapFoundAt: 100 },
      { status: 'PROVEN', first: 9n, last: 9n },
    ]);
  });
});
