import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trade } from '../../src/market/market-event.ts';
import { exactId, type FillRange, fillRange, remainderOf } from '../../src/market/packed-trades.ts';
import { dec, sampleTrade } from '../storage/samples.ts';

/** Fill n of the tape has size 0.n, so that every sum tells which fills are in it. */
const sizeOf = (first: number, last: number): string => {
  let thousandths = 0;
  for (let n = first; n <= last; n++) thousandths += n * n;
  return (thousandths / 1_000).toFixed(3);
};
const record = (first: number, last: number): Trade =>
  sampleTrade(last, { fillCount: last - first + 1, size: dec(sizeOf(first, last)) });
const range = (trade: Trade): FillRange => fillRange(trade) ?? { first: 0n, last: 0n, size: trade.size };

describe('a trade id', () => {
  it('is a number where it is exact as one, and only where it stands for fills', () => {
    const digits = fc.stringMatching(/^[0-9]{0,17}$/);
    fc.assert(
      fc.property(fc.oneof(fc.nat().map(String), digits, fc.string({ maxLength: 5 })), (tradeId) => {
        const value = exactId(tradeId);
        const last = fillRange({ tradeId, fillCount: 1, size: dec('1') })?.last ?? null;
        if (Number.isNaN(value)) expect(last === null || last >= 10n ** 15n).toBe(true);
        else expect(BigInt(value)).toBe(last);
      }),
      { numRuns: 2_000 },
    );
    expect([exactId('0'), exactId('999999999999999'), exactId('00')]).toEqual([0, 999_999_999_999_999, Number.NaN]);
  });
});

describe('the rest of a packed trade', () => {
  it('is all of it when nothing is stored', () => {
    expect(remainderOf(record(1, 5), [range(record(6, 9))])).toEqual({ kind: 'whole' });
  });

  it('is nothing when its single fills are stored, and for a single fill a stored pack covers', () => {
    expect(
      remainderOf(
        record(1, 3),
        [1, 2, 3].map((n) => range(record(n, n))),
      ),
    ).toEqual({ kind: 'none' });
    expect(remainderOf(record(2, 2), [range(record(1, 3))])).toEqual({ kind: 'none' });
  });

  it('has the exact size of the missing fills, under the highest missing id', () => {
    expect(remainderOf(record(1, 5), [range(record(5, 5)), range(record(1, 1))])).toMatchObject({
      kind: 'rest',
      trade: { tradeId: '4', fillCount: 3, size: sizeOf(2, 4) },
    });
  });

  it('cannot be told when a stored pack reaches beyond it', () => {
    expect(remainderOf(record(1, 5), [range(record(4, 8))])).toEqual({ kind: 'unknown' });
  });

  it('is all of a trade whose id is no number', () => {
    expect(remainderOf(sampleTrade('a-1', { fillCount: 1 }), [range(record(1, 3))])).toEqual({ kind: 'whole' });
  });

  it('is exact with ids beyond 2^53 and sizes of sixty digits', () => {
    const [big, size] = ['9007199254740993000', `${'9'.repeat(30)}.${'0'.repeat(29)}3`];
    const stored = { first: 9007199254740993000n, last: 9007199254740993000n, size: dec(`0.${'0'.repeat(29)}1`) };
    const rest = remainderOf(sampleTrade(big, { fillCount: 2, size: dec(size) }), [stored]);
    expect(rest).toMatchObject({
      kind: 'rest',
      trade: { tradeId: '9007199254740992999', size: `${'9'.repeat(30)}.${'0'.repeat(29)}2` },
    });
  });

  it('keeps the volume of every fill exactly once, whatever the order of packs and singles', () => {
    // Packs of 8 and of 4 fills, and singles, nested as an exchange's groups are, in any order and number.
    const piece = fc.oneof(
      fc.integer({ min: 0, max: 3 }).map((n) => record(n * 8 + 1, n * 8 + 8)),
      fc.integer({ min: 0, max: 7 }).map((n) => record(n * 4 + 1, n * 4 + 4)),
      fc.integer({ min: 1, max: 32 }).map((n) => record(n, n)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const stored: FillRange[] = [];
        const covered = new Set<number>();
        for (const trade of pieces) {
          const rest = remainderOf(trade, stored);
          expect(rest.kind).not.toBe('unknown');
          if (rest.kind === 'whole') stored.push(range(trade));
          if (rest.kind === 'rest') stored.push(range(rest.trade));
          for (let n = Number(trade.tradeId) - trade.fillCount + 1; n <= Number(trade.tradeId); n++) covered.add(n);
        }
        const volume = stored.reduce((sum, { size }) => sum + Math.round(Number(size) * 1_000), 0);
        expect(volume).toBe([...covered].reduce((sum, n) => sum + n * n, 0));
        expect(new Set(stored.map(({ last }) => last)).size).toBe(stored.length);
      }),
      { numRuns: 500 },
    );
  });
});
