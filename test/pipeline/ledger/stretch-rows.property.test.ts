import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COVERAGE_EVIDENCE, COVERAGE_STATUSES, type Stretch } from '../../../src/market/coverage.ts';
import { StretchRows } from '../../../src/pipeline/ledger/stretch-rows.ts';

const time = fc.integer({ min: 0, max: 8.64e15 });
const stretch = (largest: bigint): fc.Arbitrary<Stretch> => {
  const id = fc.bigInt({ min: -(2n ** 63n), max: largest });
  return fc.record({
    ...{ first: id, last: id, gap: fc.option(id), gapFoundAt: fc.option(time), from: time, to: time },
    status: fc.constantFrom(...COVERAGE_STATUSES),
    evidence: fc.constantFrom(...COVERAGE_EVIDENCE),
    actual: fc.maxSafeNat(),
    cause: fc.option(fc.constantFrom('gone', '', 'never made')),
  });
};

const stepsUpTo = (largest: bigint) =>
  fc.array(
    fc.record({
      ...{ place: fc.nat(20), count: fc.nat(3), isSet: fc.boolean() },
      rows: fc.array(stretch(largest), { maxLength: 12 }),
    }),
    { maxLength: 12 },
  );

const all = (rows: StretchRows): readonly Stretch[] => [...rows.from(0)];

describe('StretchRows', () => {
  it.each([
    ['64 bits', 2n ** 63n - 1n],
    ['any size', 10n ** 41n],
  ])('holds what a list of objects holds, with ids of %s', (_size, largest) => {
    fc.assert(
      fc.property(stepsUpTo(largest), (steps) => {
        const [packed, plain] = [new StretchRows(), [] as Stretch[]];
        for (const { place, count, isSet, rows } of steps) {
          const at = Math.min(place, plain.length);
          const [row] = rows;
          if (!isSet) {
            packed.splice(at, Math.min(count, plain.length - at), rows);
            plain.splice(at, count, ...rows);
          } else if (row && at < plain.length) {
            packed.set(at, row);
            plain[at] = row;
          }
          expect(all(packed)).toEqual(plain);
          expect([packed.length, packed.newest, packed.at(-1)]).toEqual([plain.length, plain.at(-1), undefined]);
          for (const status of COVERAGE_STATUSES)
            expect(packed.of(status)).toEqual(plain.filter((one) => one.status === status));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([0n, 10n ** 40n])('finds the first stretch that ends at or after an id, counted from %s', (base) => {
    const row = { status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', from: 1, to: 1, actual: 2 } as const;
    const ends = [1n, 3n, 7n].map((first) => ({ first: base + first, last: base + first + 1n }));
    const rows = new StretchRows(ends.map((one) => ({ ...row, ...one, cause: null, gap: null, gapFoundAt: null })));
    const found = [0n, 2n, 3n, 5n, 8n, 9n].map((id) => rows.indexFrom(base + id));
    expect(found).toEqual([0, 0, 1, 2, 2, 3]);
  });

  it('keeps its causes while those of others come and go', () => {
    const row = { status: 'GAP', evidence: 'TRADE_ID_CONTIGUITY', from: 1, to: 1, actual: 0, gap: 1n } as const;
    const rows = new StretchRows([{ ...row, first: 1n, last: 1n, cause: 'stays', gapFoundAt: 1 }]);
    for (let k = 0; k < 1_000; k += 1) {
      rows.splice(1, rows.length - 1, [{ ...row, first: 2n, last: 2n, cause: `the reason ${k}`, gapFoundAt: null }]);
      expect(all(rows).map(({ cause }) => cause)).toEqual(['stays', `the reason ${k}`]);
    }
  });
});
