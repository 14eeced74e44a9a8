import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoverageStatus, Stretch } from '../../src/market/coverage.ts';
import { mergeStretches, withoutDropped } from '../../src/market/merge-stretches.ts';

const STRONGEST_FIRST = ['PROVEN', 'BACKFILLED', 'UNPROVEN', 'UNFILLABLE', 'GAP'] as const;
const isMissing = (status: CoverageStatus) => status === 'GAP' || status === 'UNFILLABLE';

/** Trade k is of time 10 k; what is missing lies between its neighbours. */
const stretch = (status: CoverageStatus, first: number, last: number, fields: Partial<Stretch> = {}): Stretch => ({
  ...{ status, evidence: 'TRADE_ID_CONTIGUITY', first: BigInt(first), last: BigInt(last) },
  ...(isMissing(status) ? { from: 10 * (first - 1), to: 10 * (last + 1) } : { from: 10 * first, to: 10 * last }),
  ...{ actual: isMissing(status) ? 0 : last - first + 1, cause: isMissing(status) ? 'lost' : null },
  ...{ gap: null, gapFoundAt: null, ...fields },
});
const shown = (stretches: readonly Stretch[]) =>
  stretches.map(({ status, first, last, from, to, actual }) => `${status} ${first}-${last} @${from}-${to} ${actual}`);

describe('stretches of several writers', () => {
  it('are as they were where there is one writer', () => {
    const own = [stretch('PROVEN', 1, 10), stretch('GAP', 11, 12), stretch('PROVEN', 13, 20)];
    expect(mergeStretches([own])).toEqual(own);
    expect(mergeStretches([own, []])).toEqual(own);
    expect(mergeStretches([])).toEqual([]);
  });

  it('close the gap of one where another one was there', () => {
    const merged = mergeStretches([
      [stretch('PROVEN', 1, 10), stretch('GAP', 11, 30), stretch('PROVEN', 31, 40)],
      [stretch('PROVEN', 15, 20)],
    ]);
    expect(shown(merged)).toEqual([
      'PROVEN 1-10 @10-100 10',
      'GAP 11-14 @100-150 0',
      'PROVEN 15-20 @150-200 6',
      'GAP 21-30 @200-310 0',
      'PROVEN 31-40 @310-400 10',
    ]);
  });

  it('become one where they overlap and say the same', () => {
    const merged = mergeStretches([[stretch('PROVEN', 1, 100)], [stretch('PROVEN', 50, 150)]]);
    expect(shown(merged)).toEqual(['PROVEN 1-150 @10-1500 150']);
  });

  it('keep the name of the gap they are a part of', () => {
    const found = { gap: 11n, gapFoundAt: 7 };
    const merged = mergeStretches([[stretch('GAP', 11, 30, found)], [stretch('BACKFILLED', 15, 20)]]);
    expect(merged.map(({ gap }) => gap)).toEqual([11n, null, 11n]);
  });

  it('are not cut where two say the same with other words', () => {
    const merged = mergeStretches([[stretch('GAP', 14, 30, { gap: 14n })], [stretch('GAP', 11, 20, { gap: 11n })]]);
    expect(merged.map(({ first, last, gap }) => [first, last, gap])).toEqual([
      [11n, 20n, 11n],
      [21n, 30n, 14n],
    ]);
  });

  it('share out what lies in a stretch of messages by its length', () => {
    const [left, , right] = mergeStretches([
      [stretch('UNPROVEN', 0, 99, { actual: 10 })],
      [stretch('PROVEN', 30, 49, { evidence: 'SEQUENCE_CHAIN', actual: 3 })],
    ]);
    expect([left?.actual, right?.actual]).toEqual([3, 5]);
  });

  it('tell of every id the strongest thing any writer says of it, once', () => {
    const writer = fc
      .array(
        fc.record({
          skip: fc.nat(6),
          length: fc.integer({ min: 1, max: 9 }),
          status: fc.constantFrom(...STRONGEST_FIRST),
        }),
        { maxLength: 8 },
      )
      .map((parts) => {
        let next = 1;
        return parts.map(({ skip, length, status }) => {
          const first = next + skip;
          next = first + length;
          return stretch(status, first, next - 1);
        });
      });
    fc.assert(
      fc.property(fc.array(writer, { maxLength: 4 }), (writers) => {
        const merged = mergeStretches(writers);
        for (let id = 1n; id <= 130n; id += 1n) {
          const said = writers.flat().filter(({ first, last }) => first <= id && id <= last);
          const strongest = STRONGEST_FIRST.find((status) => said.some((one) => one.status === status));
          const found = merged.filter(({ first, last }) => first <= id && id <= last);
          expect(found.map(({ status }) => status)).toEqual(strongest ? [strongest] : []);
        }
        for (const [index, { status, first, last, from, to, actual }] of merged.entries()) {
          const next = merged[index + 1];
          if (next) expect(next.first).toBeGreaterThan(last);
          expect(from).toBeLessThanOrEqual(to);
          if (isMissing(status)) {
            // at least from the trade before to the trade after, as far as anybody knows it
            expect(from).toBeLessThanOrEqual(10 * Number(first));
            expect(to).toBeGreaterThanOrEqual(10 * Number(last));
            continue;
          }
          expect(actual).toBe(Number(last - first) + 1);
          // the first trade is no earlier, and none was made between that and the time given
          expect([10 * Number(first - 1n), 10 * Number(first)]).toContain(from);
          expect([10 * Number(last), 10 * Number(last + 1n)]).toContain(to);
        }
        expect(mergeStretches([merged])).toEqual(merged);
        expect(mergeStretches(writers.toReversed()).map(({ status, first, last }) => [status, first, last])).toEqual(
          merged.map(({ status, first, last }) => [status, first, last]),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('stretches without what was dropped', () => {
  const dropped = (first: number, last: number) => ({
    ...{ first: BigInt(first), last: BigInt(last), from: 10 * first, to: 10 * (last + 1) },
  });

  it('end where it begins and begin where it ends', () => {
    const known = [stretch('PROVEN', 1, 10), stretch('GAP', 11, 20), stretch('PROVEN', 21, 30)];
    expect(shown(withoutDropped(known, [dropped(5, 15)]))).toEqual([
      'PROVEN 1-4 @10-50 4',
      'GAP 16-20 @160-210 0',
      'PROVEN 21-30 @210-300 10',
    ]);
    expect(shown(withoutDropped(known, [dropped(22, 23), dropped(1, 20)]))).toEqual([
      'PROVEN 21-21 @210-220 1',
      'PROVEN 24-30 @240-300 7',
    ]);
  });

  it('say nothing of it, and the same as before of the rest', () => {
    const ranges = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 60 }), fc.nat(20)).map(([first, more]) => dropped(first, first + more)),
      { maxLength: 4 },
    );
    const known = [stretch('PROVEN', 1, 20), stretch('UNFILLABLE', 21, 30), stretch('BACKFILLED', 35, 50)];
    const statusOf = (stretches: readonly Stretch[], id: bigint) =>
      stretches.filter(({ first, last }) => first <= id && id <= last).map(({ status }) => status);
    fc.assert(
      fc.property(ranges, (gone) => {
        const left = withoutDropped(known, gone);
        for (let id = 0n; id < 90n; id += 1n) {
          const isGone = gone.some(({ first, last }) => first <= id && id <= last);
          expect(statusOf(left, id)).toEqual(isGone ? [] : statusOf(known, id));
        }
        for (const { from, to, actual, first, last, status } of left) {
          expect(from).toBeLessThanOrEqual(to);
          expect(actual).toBe(isMissing(status) ? 0 : Number(last - first) + 1);
        }
      }),
    );
  });
});
