import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoverageStatus, Stretch } from '../../src/market/coverage.ts';
import { coverageIntervals } from '../../src/market/coverage-intervals.ts';

const isMissing = (status: CoverageStatus) => status === 'GAP' || status === 'UNFILLABLE';

const stretch = (
  status: CoverageStatus,
  [first, last]: readonly [number, number],
  [from, to]: readonly [number, number],
  fields: Partial<Stretch> = {},
): Stretch => ({
  ...{ status, evidence: 'TRADE_ID_CONTIGUITY', first: BigInt(first), last: BigInt(last), from, to },
  ...{ actual: isMissing(status) ? 0 : last - first + 1, cause: isMissing(status) ? 'lost' : null },
  ...{ gap: isMissing(status) ? BigInt(first) : null, gapFoundAt: null, ...fields },
});
const shown = (...args: Parameters<typeof coverageIntervals>) =>
  coverageIntervals(...args).map(
    ({ status, from, to, ids }) => `${status} ${from}-${to}${ids ? ` ${ids.first}-${ids.last}` : ''}`,
  );

describe('the intervals of a stream', () => {
  it('say of a stream nothing is known of that nothing was collected', () => {
    expect(coverageIntervals([], { from: 0, to: 100 })).toEqual([
      {
        ...{ status: 'UNPROVEN', evidence: 'CONNECTION_ONLY', from: 0, to: 100, ids: null, actual: 0 },
        ...{ cause: 'not collected', gap: null },
      },
    ]);
  });

  it('let a proven stretch own the time from its first trade to its last', () => {
    const intervals = coverageIntervals([stretch('PROVEN', [1, 5], [20, 60])], { from: 0, to: 100 });
    expect(intervals).toMatchObject([
      { status: 'UNPROVEN', from: 0, to: 20, cause: 'not collected' },
      { status: 'PROVEN', from: 20, to: 60, ids: { first: 1n, last: 5n }, actual: 5, cause: null },
      { status: 'UNPROVEN', from: 60, to: 100, cause: 'nothing newer was received yet' },
    ]);
  });

  it('let a gap own its neighbours, as a missing trade may share their millisecond', () => {
    const stretches = [
      stretch('PROVEN', [1, 5], [0, 50]),
      stretch('GAP', [6, 9], [50, 70]),
      stretch('PROVEN', [10, 20], [70, 100]),
    ];
    expect(shown(stretches, { from: 0, to: 100 })).toEqual(['PROVEN 0-50 1-5', 'GAP 50-71 6-9', 'PROVEN 71-100 10-20']);
  });

  it('leave the millisecond that a gap shares with ids nobody asked for to the gap', () => {
    const stretches = [
      stretch('PROVEN', [1, 5], [0, 50]),
      stretch('PROVEN', [10, 10], [70, 70]),
      stretch('GAP', [11, 12], [70, 90]),
      stretch('PROVEN', [13, 20], [90, 120]),
    ];
    expect(shown(stretches, { from: 60, to: 120 })).toEqual([
      ...['UNPROVEN 60-70 6-9', 'PROVEN 70-70 10-10', 'GAP 70-91 11-12', 'PROVEN 91-120 13-20'],
    ]);
  });

  it('keep what is empty in the range that ends with it, whose last millisecond it shares', () => {
    const stretches = [
      stretch('PROVEN', [1, 5], [0, 50]),
      stretch('GAP', [6, 9], [50, 70]),
      stretch('PROVEN', [10, 10], [70, 70]),
      stretch('UNFILLABLE', [11, 12], [70, 70]),
      stretch('PROVEN', [13, 20], [70, 120]),
    ];
    const empty = ['PROVEN 71-71 10-10', 'UNFILLABLE 71-71 11-12'];
    expect(shown(stretches, { from: 60, to: 71 })).toEqual(['GAP 60-71 6-9', ...empty]);
    expect(shown(stretches, { from: 71, to: 80 })).toEqual(['PROVEN 71-80 13-20']);
  });

  it('keep what has no length left, for its ids', () => {
    const stretches = [
      stretch('PROVEN', [1, 5], [0, 50]),
      stretch('GAP', [6, 9], [50, 70]),
      stretch('PROVEN', [10, 10], [70, 70]),
      stretch('UNFILLABLE', [11, 12], [70, 90]),
      stretch('BACKFILLED', [13, 20], [90, 120]),
    ];
    expect(shown(stretches, { from: 0, to: 120 })).toEqual([
      'PROVEN 0-50 1-5',
      'GAP 50-71 6-9',
      'PROVEN 71-71 10-10',
      'UNFILLABLE 71-91 11-12',
      'BACKFILLED 91-120 13-20',
    ]);
  });

  it('call a quiet hour proven: between consecutive ids nothing was made', () => {
    const hour = 3_600_000;
    const stretches = [stretch('BACKFILLED', [1, 5], [0, 50]), stretch('PROVEN', [6, 9], [hour, hour + 50])];
    expect(shown(stretches, { from: 0, to: hour })).toEqual(['BACKFILLED 0-50 1-5', `PROVEN 50-${hour} 6-9`]);
    const other = [stretch('PROVEN', [1, 5], [0, 50]), stretch('BACKFILLED', [6, 9], [hour, hour + 50])];
    expect(shown(other, { from: 100, to: 200 })).toEqual(['PROVEN 100-200 1-5']);
  });

  it('say what nobody ever spoke of is not collected', () => {
    const stretches = [stretch('PROVEN', [1, 5], [0, 50]), stretch('PROVEN', [10, 20], [70, 100])];
    expect(coverageIntervals(stretches, { from: 0, to: 100 })).toMatchObject([
      { status: 'PROVEN', to: 50 },
      {
        status: 'UNPROVEN',
        evidence: 'CONNECTION_ONLY',
        from: 50,
        to: 71,
        cause: 'not collected',
        ids: { first: 6n, last: 9n },
      },
      { status: 'PROVEN', from: 71 },
    ]);
  });

  it('are contiguous and never say PROVEN where something is missing, whatever the times', () => {
    const part = fc.record({
      status: fc.constantFrom<CoverageStatus>('PROVEN', 'UNPROVEN', 'GAP', 'BACKFILLED', 'UNFILLABLE'),
      skip: fc.constantFrom(0, 0, 0, 3),
      length: fc.integer({ min: 1, max: 5 }),
      quiet: fc.constantFrom(0, 0, 1, 30),
      /** A clock that went back. */
      back: fc.constantFrom(0, 0, 0, 15),
      lasts: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.nat(100), fc.nat(150), (parts, from, length) => {
        let id = 1;
        let time = 20;
        const stretches = parts.map(({ status, skip, length: ids, quiet, back, lasts }) => {
          const first = id + skip;
          id = first + ids;
          const start = time + quiet - back;
          time = start + lasts;
          return stretch(status, [first, id - 1], [start, Math.max(start, time)]);
        });
        const to = from + length;
        const intervals = coverageIntervals(stretches, { from, to });
        expect(intervals[0]?.from ?? from).toBe(from);
        expect(intervals.at(-1)?.to ?? to).toBe(to);
        for (const [index, interval] of intervals.entries()) {
          expect(interval.from).toBeLessThanOrEqual(interval.to);
          const next = intervals[index + 1];
          if (next) expect(next.from).toBe(interval.to);
        }
        const owner = (at: number) => intervals.find((interval) => interval.from <= at && at < interval.to);
        for (const { status, from: start, to: end } of stretches)
          for (let at = Math.max(start, from); isMissing(status) && at <= end && at < to; at += 1)
            expect(['GAP', 'UNFILLABLE', 'UNPROVEN'], `${status} at ${at}`).toContain(owner(at)?.status);
      }),
      { numRuns: 2_000 },
    );
  });
});
