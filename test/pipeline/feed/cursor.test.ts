import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal } from '../../../src/market/decimal.ts';
import { tradeCursors } from '../../../src/pipeline/feed/cursor.ts';
import { AppError } from '../../../src/runtime/errors.ts';

const positions = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.bigInt({ min: 1n, max: 2n ** 63n - 1n })), {
    maxLength: 20,
    selector: ([writer]) => writer,
  })
  .map((places) => new Map(places));

const all = tradeCursors({});
const inside = (text: string) => Buffer.from(text).toString('base64url');
const opened = (cursor: string) => Buffer.from(cursor, 'base64url').toString();

describe('a trade cursor', () => {
  it('gives back the position it was made from', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(all.decode(all.encode(position))).toEqual(position);
      }),
    );
  });

  it('is the same for filters that mean the same', () => {
    const one = tradeCursors({ exchange: 'okx', symbols: ['ETH-USDT', 'BTC-USDT'], minSize: decimal('0.10') });
    const other = tradeCursors({
      exchange: 'okx',
      symbols: ['BTC-USDT', 'ETH-USDT'],
      side: null,
      minSize: decimal('0.1'),
    });
    expect(other.decode(one.encode(new Map([[1, 5n]])))).toEqual(new Map([[1, 5n]]));
  });

  it.each([
    { exchange: 'okx' },
    { symbols: ['BTC-USDT'] },
    { symbols: [] },
    { side: 'buy' as const },
    { minSize: decimal('10') },
    { minSize: decimal('1') },
  ])('of everything is refused for the filter %j', (filter) => {
    const cursor = all.encode(new Map([[1, 5n]]));
    expect(() => tradeCursors(filter).decode(cursor)).toThrow(
      expect.objectContaining({ code: 'CURSOR_INVALID', message: expect.stringContaining('another field or filter') }),
    );
  });

  it.each([
    ['nothing', ''],
    ['noise', '!!!!'],
    ['another version', inside(opened(all.encode(new Map())).replace('1', '2'))],
    ['a sequence beyond 64 bits', inside(`${opened(all.encode(new Map()))}~1.9999999999999999999`)],
    ['a writer beyond 32 bits', inside(`${opened(all.encode(new Map()))}~4294967296.1`)],
    ['a writer named twice', inside(`${opened(all.encode(new Map()))}~1.5~1.6`)],
    ['a leading zero', inside(`${opened(all.encode(new Map()))}~1.05`)],
    ['a negative sequence', inside(`${opened(all.encode(new Map()))}~1.-5`)],
    ['padding', `${all.encode(new Map([[1, 5n]]))}=`],
    ['white space', ` ${all.encode(new Map([[1, 5n]]))}`],
    ['more writers than a database has', all.encode(new Map(Array.from({ length: 400 }, (_, writer) => [writer, 1n])))],
    ['far too much', 'A'.repeat(10_000_000)],
  ])('with %s is refused', (_what, text) => {
    expect(() => all.decode(text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
  });

  it('never throws anything but CURSOR_INVALID', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string().map(inside)), (text) => {
        try {
          expect(all.encode(all.decode(text))).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});
