import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, type Search } from '../../../src/collectors/backfill/trade-search.ts';
import { idsBetween, tradeOf } from '../../support/trades.ts';

const answer = (...ids: readonly (bigint | number)[]) => ({ trades: ids.map((id) => tradeOf(id)), rejected: 0 });
const range = (first: number, last: number) => ({ first: BigInt(first), last: BigInt(last) });
const ids = (trades: readonly { readonly tradeId: string }[]) => trades.map(({ tradeId }) => Number(tradeId));
const down = (stretch: [number, number], part = stretch): Search => ({
  way: 'down',
  stretch: range(...stretch),
  part: range(...part),
  limit: 100,
});
const up = (stretch: [number, number], part = stretch): Search => ({ ...down(stretch, part), way: 'up', limit: 4 });

describe('a page downwards', () => {
  it('that shows everything leaves nothing absent', () => {
    const finding = judge(down([10, 12]), answer(8, 9, 10, 11, 12, 13));
    expect(finding).toMatchObject({ absent: [], unseen: null });
    expect(ids(finding.found)).toEqual([10, 11, 12]);
  });

  it('proves ids absent that lie between two it shows', () => {
    expect(judge(down([10, 14]), answer(9, 10, 13, 15))).toMatchObject({
      absent: [range(11, 12), range(14, 14)],
      unseen: null,
    });
  });

  it('does not prove absent what lies above everything it shows: REST may lag', () => {
    expect(judge(down([10, 14]), answer(9, 10, 12))).toMatchObject({ absent: [range(11, 11)], unseen: range(13, 14) });
  });

  it('that shows only what lies above has nothing of the stretch, however long that is', () => {
    expect(judge(down([10, 1_000_000_000], [999_999_902, 1_000_000_000]), answer(1_000_000_001))).toMatchObject({
      absent: [range(10, 1_000_000_000)],
      unseen: null,
    });
  });

  it('says nothing about what lies above the part it was asked for', () => {
    expect(judge(down([10, 500], [100, 198]), answer(99, 100, 198, 199))).toMatchObject({
      absent: [range(101, 197)],
      unseen: null,
    });
  });

  it('that had room for older trades hints at where the record begins', () => {
    expect(judge(down([10, 14]), answer(12, 13, 14, 15))).toMatchObject({ absent: [], unseen: null, begins: 12n });
    expect(judge({ ...down([10, 14]), limit: 4 }, answer(12, 13, 14, 15))).toMatchObject({ begins: null });
    expect(judge(down([10, 14]), answer(8, 13, 14, 15))).toMatchObject({ begins: null });
  });

  it('without a row proves nothing', () => {
    expect(judge(down([10, 14]), answer())).toEqual({ found: [], absent: [], unseen: range(10, 14), begins: null });
  });

  it('with a row that cannot be read proves nothing: the row may be the trade', () => {
    expect(judge(down([10, 12]), { trades: [tradeOf(9), tradeOf(13)], rejected: 1 })).toMatchObject({
      absent: [],
      unseen: null,
    });
  });
});

describe('a page upwards', () => {
  it('proves absent what it passed over, down to where it began', () => {
    expect(judge(up([10, 14], [10, 12]), answer(11, 13, 14, 15))).toMatchObject({
      absent: [range(10, 10), range(12, 12)],
      unseen: null,
    });
  });

  it('that jumps proves a hole of any size absent', () => {
    expect(judge(up([10, 1_000_000], [10, 12]), answer(1_000_001, 1_000_002))).toMatchObject({
      absent: [range(10, 1_000_000)],
      unseen: null,
    });
  });

  it('that ends early leaves open what lies above its last trade', () => {
    expect(judge(up([10, 14]), answer(10, 12))).toMatchObject({ absent: [range(11, 11)], unseen: range(13, 14) });
    expect(judge(up([10, 14]), answer())).toMatchObject({ absent: [], unseen: range(10, 14) });
  });

  it('says nothing about what lies below where it began', () => {
    expect(judge(up([10, 30], [20, 22]), answer(20, 22, 23, 24))).toMatchObject({ absent: [range(21, 21)] });
  });
});

describe('the newest trades', () => {
  const recent = (...stretch: [number, number]): Search => ({ ...down(stretch), way: 'recent' });

  it('prove absent only between the oldest and the newest of them', () => {
    expect(judge(recent(1, 40), answer(20, 21, 23, 41))).toMatchObject({
      absent: [range(22, 22), range(24, 40)],
      unseen: null,
    });
    expect(judge(recent(30, 40), answer(20, 21))).toEqual({ found: [], absent: [], unseen: null, begins: null });
  });

  it('may be packed', () => {
    const finding = judge(recent(10, 20), {
      trades: [tradeOf(9), tradeOf(14, { fillCount: 5 }), tradeOf(22)],
      rejected: 0,
    });
    expect(finding.absent).toEqual([range(15, 20)]);
    expect(ids(finding.found)).toEqual([14]);
  });
});

it('never calls an id absent that the exchange has, or may still show', () => {
  fc.assert(
    fc.property(
      fc.subarray(Array.from({ length: 60 }, (_, i) => i + 1)),
      fc.integer({ min: 1, max: 60 }), // what REST has caught up with
      fc.integer({ min: 1, max: 55 }),
      fc.integer({ min: 0, max: 30 }),
      fc.constantFrom('down' as const, 'up' as const, 'recent' as const),
      (made, caughtUpTo, first, length, way) => {
        const limit = 8;
        const stretch = range(first, first + length);
        const part =
          way === 'up'
            ? range(first, Math.min(first + length, first + limit - 2))
            : range(Math.max(first, first + length - limit + 2), first + length);
        const shown = made.filter((id) => id <= caughtUpTo).sort((a, b) => a - b);
        const page =
          way === 'up'
            ? shown.filter((id) => id >= first).slice(0, limit)
            : shown.filter((id) => way === 'recent' || id <= first + length + 1).slice(-limit);
        const { absent } = judge({ way, stretch, part, limit }, answer(...page));
        for (const hole of absent)
          for (const id of idsBetween(hole.first, hole.last)) {
            expect(made).not.toContain(Number(id));
            expect(Number(id)).toBeLessThan(caughtUpTo);
          }
      },
    ),
    { numRuns: 2_000 },
  );
});
