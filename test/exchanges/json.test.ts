import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, parseObject, tryJson } from '../../src/exchanges/json.ts';

describe('parseJson', () => {
  it.each([
    ['[9007199254740991]', [9007199254740991]],
    ['[9007199254740992]', ['9007199254740992']],
    ['[-9007199254740993]', ['-9007199254740993']],
    ['{"id": 12345678901234567890}', { id: '12345678901234567890' }],
    ['{"id":"12345678901234567890"}', { id: '12345678901234567890' }],
    ['12345678901234567890', '12345678901234567890'],
    ['[0.12345678901234567890]', [0.12345678901234568]],
    ['[1786538760218000000,1]', ['1786538760218000000', 1]],
    ['[1e30]', [1e30]],
  ])('reads %s with every digit of its integers', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it("keeps long integers wherever they stand and JSON.parse's reading of everything else", () => {
    const json = fc.jsonValue({ maxDepth: 5 });
    const id = fc.bigInt({ min: 10n ** 15n, max: 10n ** 30n });
    fc.assert(
      fc.property(json, id, fc.nat(40), (value, long, padding) => {
        const text = `{"pad":"${'x'.repeat(padding)}","value":${JSON.stringify(value)},"id":${long},"last":[${long}]}`;
        const expected = long > BigInt(Number.MAX_SAFE_INTEGER) ? String(long) : Number(long);
        const found = parseObject(text);
        expect([found.id, found.last]).toEqual([expected, [expected]]);
        expect(JSON.stringify(parseJson(JSON.stringify(value)))).toBe(JSON.stringify(exact(value)));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '{"__proto__":{"admin":true},"a":1}',
    '{"\\u005f_proto__":{"admin":true},"a":1}',
    '{"a":1,"__proto\\u005F_":null}',
  ])('drops the prototype key of %s', (text) => {
    const found = parseObject(text);
    expect(Object.getOwnPropertyNames(found)).toEqual(['a']);
    expect(Object.assign({}, found)).not.toHaveProperty('admin');
  });

  it('reads nesting of 64 and refuses 65, of arrays, objects and both', () => {
    const nests = [
      (depth: number) => '['.repeat(depth) + ']'.repeat(depth),
      (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      (depth: number) => `[${'{"a":'.repeat(depth - 1)}1${'}'.repeat(depth - 1)}]`,
      (depth: number) => `${'{"a":['.repeat(depth / 2)}${depth % 2 ? '{}' : ''}${']}'.repeat(depth / 2)}`,
      (depth: number) => `${'[1,['.repeat(depth / 2)}${depth % 2 ? '{}' : ''}${']]'.repeat(depth / 2)}`,
    ];
    for (const nest of nests) {
      expect(parseJson(nest(64))).toBeDefined();
      expect(() => parseJson(nest(65))).toThrow(/deeper than 64/);
    }
  });

  it('reads a flat frame of many brackets', () => {
    expect(parseJson(`[${'[1],{},'.repeat(1_000)}0]`)).toHaveLength(2_001);
  });

  it('says what it could not read, and not all of it', () => {
    expect(() => parseJson('<'.repeat(10_000))).toThrow(
      expect.objectContaining({ code: 'FRAME_MALFORMED', message: `The frame is not JSON: ${'<'.repeat(80)}` }),
    );
    expect(tryJson('<html>')).toBeNull();
  });
});

/** What a reader of exact integers makes of a value that JSON.parse would round. */
function exact(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && !`${value}`.includes('e'))
    return `${value}`;
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, item]) => [key, exact(item)]),
  );
}
