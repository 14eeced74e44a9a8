import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedTrade } from '../../../src/market/recorded-trade.ts';
import { TradeRing } from '../../../src/pipeline/feed/trade-ring.ts';
import type { Position } from '../../../src/storage/trades.ts';
import { aTrade } from '../memory-trade-store.ts';

const record = (writer: number, sequence: number): RecordedTrade => ({
  ...{ trade: aTrade(), writer, sequence: BigInt(sequence), recordedAt: 0, provenance: 'LIVE' },
});
const at = (...places: readonly (readonly [number, number])[]): Position =>
  new Map(places.map(([writer, sequence]) => [writer, BigInt(sequence)]));
/** What a reader that goes on at an index gets to see. */
const from = (ring: TradeRing, index: number | null, position: Position) =>
  index === null
    ? null
    : Array.from({ length: ring.head - index }, (_, k) => ring.at(index + k))
        .filter(({ writer, sequence }) => sequence > (position.get(writer) ?? 0n))
        .map(({ writer, sequence }) => `${writer}.${sequence}`);

describe('TradeRing', () => {
  it('keeps what it holds over a hole that is known to be empty', () => {
    const ring = new TradeRing(8, at());
    ring.append(record(1, 1));
    ring.append(record(1, 4), at([1, 4]));
    expect(ring.indexAfter(at())).toBe(0);
    expect(ring.indexAfter(at([1, 1]))).toBe(1);
    expect(ring.indexAfter(at([1, 2]))).toBe(1);
    expect(ring.indexAfter(at([1, 4]))).toBe(2);
  });

  it('lets go of everything before a hole of which nothing is known', () => {
    const ring = new TradeRing(8, at());
    ring.append(record(1, 1));
    ring.append(record(1, 4), at([1, 3]));
    ring.append(record(1, 6), at([1, 4]));
    expect(ring.indexAfter(at([1, 4]))).toBeNull();
    expect(from(ring, ring.indexAfter(at([1, 5])), at([1, 5]))).toEqual(['1.6']);
  });

  it('takes numbers without a trade for read', () => {
    const ring = new TradeRing(8, at([1, 3]));
    ring.append(record(2, 1));
    ring.passOver(at([1, 9], [2, 1]));
    expect(ring.position).toEqual(at([1, 9], [2, 1]));
    expect(ring.indexAfter(at([1, 3]))).toBe(0);
    expect(ring.indexAfter(at([1, 3], [2, 1]))).toBe(1);
    ring.append(record(1, 10));
    expect(from(ring, ring.indexAfter(at([1, 3])), at([1, 3]))).toEqual(['2.1', '1.10']);
  });

  it('goes on exactly where a reader stands, whatever the holes', () => {
    const steps = fc.array(
      fc.record({
        writer: fc.constantFrom(1, 2, 3),
        hole: fc.constantFrom(0, 0, 1, 5),
        pass: fc.constantFrom(0, 0, 3),
      }),
      { minLength: 1, maxLength: 40, size: 'max' },
    );
    const reader = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30));
    let found = 0;
    fc.assert(
      fc.property(steps, reader, (schedule, [one, two, three]) => {
        const ring = new TradeRing(8, at());
        const truth: RecordedTrade[] = [];
        const last = new Map<number, number>();
        for (const { writer, hole, pass } of schedule) {
          const next = record(writer, (last.get(writer) ?? 0) + hole + 1);
          truth.push(next);
          ring.append(next, at([writer, Number(next.sequence)]));
          last.set(writer, Number(next.sequence) + pass);
          ring.passOver(at([writer, Number(next.sequence) + pass]));
        }
        const position = at([1, one], [2, two], [3, three]);
        const unread = truth.filter(({ writer, sequence }) => sequence > (position.get(writer) ?? 0n));
        const index = ring.indexAfter(position);
        const isHere = unread.every((trade) => truth.indexOf(trade) >= truth.length - 8);
        expect(from(ring, index, position)).toEqual(
          isHere ? unread.map(({ writer, sequence }) => `${writer}.${sequence}`) : null,
        );
        if (index === null || unread.length === 0) return;
        expect(ring.at(index)).toEqual(unread[0]);
        found += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(found).toBeGreaterThan(100);
  });
});
