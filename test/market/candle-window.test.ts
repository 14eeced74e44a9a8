import { describe, expect, it } from 'vitest';
import {
  CANDLE_INTERVALS,
  type CandleInterval,
  longestOf,
  type Windows,
  windowAt,
} from '../../src/market/candle-window.ts';

const windows = (interval: CandleInterval, over: Partial<Windows> = {}): Windows => ({
  ...{ interval, timeZone: 'UTC', anchor: null, ...over },
});
const shown = (of: Windows, time: string) => {
  const { openTime, closeTime } = windowAt(of, Date.parse(time));
  return [new Date(openTime).toISOString(), new Date(closeTime).toISOString()].map((iso) =>
    iso.replace(':00.000Z', 'Z'),
  );
};

describe('the window a time lies in', () => {
  it.each(CANDLE_INTERVALS)('of %s holds its first millisecond, and not that of the next', (interval) => {
    for (const timeZone of ['UTC', 'Asia/Kolkata', 'America/New_York'])
      for (const anchor of [null, Date.UTC(2026, 0, 31, 17, 30, 1, 7)]) {
        const of = windows(interval, { timeZone, anchor });
        let { openTime, closeTime } = windowAt(of, Date.UTC(2026, 1, 20, 12));
        for (let k = 0; k < 40; k += 1) {
          expect(closeTime).toBeGreaterThan(openTime);
          expect(closeTime - openTime).toBeLessThanOrEqual(longestOf(interval) + 3_600_000);
          for (const time of [openTime, openTime + 1, closeTime - 1])
            expect(windowAt(of, time)).toEqual({ openTime, closeTime });
          const next = windowAt(of, closeTime);
          expect(next.openTime).toBe(closeTime);
          ({ openTime, closeTime } = next);
        }
      }
  });

  it.each([
    ['the end of February in a leap year', '1M', '2028-02-29T23:59:59Z', '2028-02-01T00:00Z', '2028-03-01T00:00Z'],
    ['the end of February in another', '1M', '2026-02-28T23:59:59Z', '2026-02-01T00:00Z', '2026-03-01T00:00Z'],
    ['the turn of the year', '1M', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00Z', '2027-01-01T00:00Z'],
    ['a leap day', '1d', '2028-02-29T12:00:00Z', '2028-02-29T00:00Z', '2028-03-01T00:00Z'],
    ['a week across years', '1w', '2026-12-31T00:00:00Z', '2026-12-28T00:00Z', '2027-01-04T00:00Z'],
    [
      'a week across years, from the other side',
      '1w',
      '2027-01-03T23:59:00Z',
      '2026-12-28T00:00Z',
      '2027-01-04T00:00Z',
    ],
    ['a time before 1970', '1h', '1969-12-31T23:30:00Z', '1969-12-31T23:00Z', '1970-01-01T00:00Z'],
  ] as const)('at %s', (_what, interval, time, open, close) => {
    expect(shown(windows(interval), time)).toEqual([open, close]);
  });

  it('of a month in UTC is that of the calendar, in any year', () => {
    for (const year of [1, 99, 1900, 1969, 2000, 2026, 2028, 9998])
      for (let month = 0; month < 12; month += 1) {
        const first = new Date(0).setUTCFullYear(year, month, 1);
        for (const time of [first - 1, first, first + 1])
          expect(windowAt(windows('1M'), time)).toEqual(windowAt(windows('1M', { timeZone: 'Etc/UTC' }), time));
      }
  });

  it.each([
    ['23 hours long when clocks go forward', '2026-03-29T10:00:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['25 hours long when clocks go back', '2026-10-25T10:00:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
  ])('of a day in Berlin is %s', (_what, time, open, close) => {
    expect(shown(windows('1d', { timeZone: 'Europe/Berlin' }), time)).toEqual([open, close]);
  });

  it('of an hour is the same in every place', () => {
    for (const timeZone of ['Asia/Kolkata', 'Europe/Berlin'])
      expect(shown(windows('4h', { timeZone }), '2026-03-29T01:30:00Z')).toEqual([
        '2026-03-29T00:00Z',
        '2026-03-29T04:00Z',
      ]);
  });

  it('timescaledb #9027: ends where the anchor says', () => {
    const anchor = Date.parse('2026-01-31T17:30:00Z');
    expect(shown(windows('1d', { anchor }), '2026-02-10T12:00:00Z')).toEqual([
      '2026-02-09T17:30Z',
      '2026-02-10T17:30Z',
    ]);
    expect(shown(windows('1w', { anchor }), '2026-02-10T12:00:00Z')).toEqual([
      '2026-02-07T17:30Z',
      '2026-02-14T17:30Z',
    ]);
    expect(shown(windows('1M', { anchor }), '2026-02-10T12:00:00Z')).toEqual([
      '2026-01-31T17:30Z',
      '2026-02-28T17:30Z',
    ]);
    expect(shown(windows('1h', { anchor }), '2026-02-10T12:00:00Z')).toEqual([
      '2026-02-10T11:30Z',
      '2026-02-10T12:30Z',
    ]);
  });
});
