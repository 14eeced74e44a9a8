import { describe, expect, it } from 'vitest';
import { int4Array, int8Array, letterArray, textArray, timeArray } from '../../src/storage/binary-arrays.ts';
import { useTestDatabase } from '../support/database.ts';

const db = useTestDatabase();

/** What the database reads in an array of ours. */
async function read(type: string, bytes: Buffer | null, column = 'v'): Promise<readonly unknown[]> {
  const rows = await db().writers.query<{ v: unknown }>({
    text: `select ${column} as v from unnest($1::${type}[]) with ordinality as u (v, n) order by n`,
    values: [bytes],
  });
  return rows.map(({ v }) => v);
}

describe('an array in binary', () => {
  it('holds whole numbers', async () => {
    expect(await read('int4', int4Array([0, 1, -1, 2_147_483_647, -2_147_483_648]))).toEqual([
      ...[0, 1, -1, 2_147_483_647, -2_147_483_648],
    ]);
    const long = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), (32_767n << 48n) + 5n];
    expect(await read('int8', int8Array(long))).toEqual(long.map(String));
  });

  it('holds times to the ms, before and after the year 2000', async () => {
    const times = [Date.UTC(2009, 0), Date.UTC(1999, 11, 31, 23, 59, 59, 999), Date.UTC(2026, 10, 28, 1, 2, 3, 456), 0];
    const ms = await read('timestamptz', timeArray(times), `(extract(epoch from v) * 1000)::float8`);
    expect(ms).toEqual(times);
    expect(() => timeArray([Number.NaN])).toThrow(RangeError);
  });

  it('holds letters and texts of any characters, and nulls', async () => {
    expect(await read('"char"', letterArray(['b', 's']))).toEqual(['b', 's']);
    const texts = ['', 'a', '1040968613', '{"a,b"}', '\u00e9\u20ac', '\ud83d\ude00', null, 'NULL', '\\'];
    expect(await read('text', textArray(texts))).toEqual(texts);
  });

  it('holds nothing', async () => {
    expect(await read('text', textArray([]))).toEqual([]);
    expect(await read('int4', int4Array([]))).toEqual([]);
    expect(textArray([null, null])).toBeNull();
  });
});
