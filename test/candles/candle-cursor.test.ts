import { describe, expect, it } from 'vitest';
import { CandleCursors } from '../../src/candles/candle-cursor.ts';
import type { CandleInterval } from '../../src/market/candle-window.ts';

const JANUARY = Date.UTC(2026, 0, 1);
const SYMBOLS = Array.from({ length: 100 }, (_, k) => `S${k}-USDT`);
const position = new Map([[1, 5n]]);

const cursorsOf = (interval: CandleInterval, symbols: readonly string[] = SYMBOLS) =>
  new CandleCursors({ exchange: 'okx', symbols, interval });

/** A cursor whose end and tail somebody made up; its positions are genuine. */
function madeUp(cursors: CandleCursors, ...rest: readonly string[]): string {
  const closed = new Map(SYMBOLS.map((symbol) => [symbol, JANUARY]));
  return [cursors.encode({ position, closed }).split('.')[0], ...rest].join('.');
}

describe('a cursor of candles', () => {
  it.each(['1s', '1m', '1w', '1M'] as const)('keeps what was closed of each symbol: %s', (interval) => {
    const cursors = cursorsOf(interval, ['A-USDT', 'B-USDT', 'C-USDT']);
    const [monday, before] =
      interval === '1M' ? [JANUARY, Date.UTC(2025, 8, 1)] : [Date.UTC(2026, 0, 5), Date.UTC(2025, 11, 22)];
    const place = {
      position,
      closed: new Map([
        ['A-USDT', monday],
        ['B-USDT', before],
        ['C-USDT', monday],
      ]),
    };
    expect(cursors.decode(cursors.encode(place))).toEqual(place);
  });

  it('costs little to refuse, whatever its numbers', () => {
    const month = cursorsOf('1M');
    const text = madeUp(month, JANUARY.toString(36), ...SYMBOLS.map(() => (100_000).toString(36)));
    const before = performance.now();
    expect(() => month.decode(text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
    expect(performance.now() - before).toBeLessThan(500);
  });

  it.each([
    ['1M', 8.64e15],
    ['1M', -8.64e15],
    ['1m', 8.64e15],
    ['1m', Date.UTC(10_000, 0)],
    ['1m', -60_000],
    ['1m', JANUARY + 1],
    ['1m', Number.NaN],
  ] as const)('refuses the end of a candle that none can have: %s %d', (interval, end) => {
    const cursors = cursorsOf(interval);
    expect(() => cursors.decode(madeUp(cursors, end.toString(36)))).toThrow(
      expect.objectContaining({ code: 'CURSOR_INVALID' }),
    );
  });
});
