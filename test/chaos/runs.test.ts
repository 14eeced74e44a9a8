import fc from 'fast-check';
import { expect, it } from 'vitest';
import { intersect, lengthOf, type Run, repeated, subtract, union } from './runs.ts';

const places = (runs: readonly Run[]): readonly number[] =>
  runs.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

const anyRuns = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6 })), { maxLength: 12 })
  .map((pairs) => pairs.map(([first, more]) => ({ first, last: first + more })));

it('computes with sets of places as with the places one by one', () => {
  fc.assert(
    fc.property(anyRuns, anyRuns, (some, others) => {
      const [a, b] = [union(some), union(others)];
      const [inA, inB] = [new Set(places(some)), new Set(places(others))];
      const ascending = (set: Iterable<number>) => [...set].sort((x, y) => x - y);
      expect(places(a)).toEqual(ascending(inA));
      expect(lengthOf(a)).toBe(inA.size);
      expect(places(intersect(a, b))).toEqual(ascending(inA).filter((place) => inB.has(place)));
      expect(places(subtract(a, b))).toEqual(ascending(inA).filter((place) => !inB.has(place)));
      const all = places(some);
      expect(places(repeated(some))).toEqual(ascending(new Set(all.filter((place, i) => all.indexOf(place) !== i))));
    }),
    { numRuns: 500 },
  );
});
