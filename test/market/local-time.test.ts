import { Temporal } from 'temporal-polyfill';
import { expect, test } from 'vitest';
import { type CandleWindow, type Windows, windowAt } from '../../src/market/candle-window.ts';
import { LocalTime } from '../../src/market/local-time.ts';
import { seeded } from '../chaos/seeded.ts';

const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Africa/Casablanca'],
  ...['Pacific/Apia', 'America/St_Johns', 'America/Sao_Paulo', 'Africa/Cairo', '+05:30', '-03:00'],
] as const;
const [BEGIN, END] = [Date.UTC(1965, 0, 1), Date.UTC(2040, 0, 1)];
const random = seeded('local time');
const anyTime = () => Math.floor(BEGIN + random() * (END - BEGIN));
const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Near a change of the clocks as often as not. */
function timeIn(timeZone: string): number {
  const time = anyTime();
  const next = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone).getTimeZoneTransition('next');
  return next && random() < 0.5 ? next.epochMilliseconds + Math.floor((random() - 0.5) * 8 * 3_600_000) : time;
}

/** The same by a calendar library, step by step. */
function byCalendar({ interval, timeZone, anchor }: Windows, time: number): CandleWindow {
  const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
  const end = anchor === null ? null : at(anchor);
  const plainTime = end?.toPlainTime() ?? new Temporal.PlainTime();
  const date = at(time).toPlainDate();
  const start = (by: number): number => {
    const week = date.subtract({ days: (date.dayOfWeek - (end?.dayOfWeek ?? 1) + 7) % 7 });
    const month = date.with({ day: 1 }).add({ months: by });
    const day = { '1d': () => date.add({ days: by }), '1w': () => week.add({ weeks: by }) };
    const first = interval === '1M' ? month.with({ day: end?.day ?? 1 }) : day[interval as '1d' | '1w']();
    return first.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
  };
  const starts = Array.from({ length: 9 }, (_, k) => start(k - 4));
  const last = starts.findLastIndex((begin) => begin <= time);
  return { openTime: starts[last] ?? Number.NaN, closeTime: starts[last + 1] ?? Number.NaN };
}

test('the clocks of a place show what a calendar library says, and are found again by it', () => {
  for (const zone of ZONES) {
    const clocks = new LocalTime(zone);
    for (let k = 0; k < 300; k += 1) {
      const time = timeIn(zone);
      const shown = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(zone).toPlainDateTime();
      expect(clocks.of(time), `${zone} at ${time}`).toBe(shown.toZonedDateTime('UTC').epochMilliseconds);
      const local = clocks.of(time) + Math.floor((random() - 0.5) * 4 * 3_600_000);
      const plain = Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO('UTC').toPlainDateTime();
      expect(clocks.timeOf(local), `${zone} showing ${plain}`).toBe(plain.toZonedDateTime(zone).epochMilliseconds);
    }
  }
});

test('days, weeks and months of a place are those of a calendar library', () => {
  for (let k = 0; k < 3_000; k += 1) {
    const timeZone = any(ZONES);
    const anchor = any([null, anyTime(), Date.UTC(2026, 0, 31, 17, 30, 1, 7)]);
    const of: Windows = { interval: any(['1d', '1w', '1M']), timeZone, anchor };
    if (timeZone === 'UTC' && of.interval !== '1M') continue; // of fixed length: they are not worked out by the calendar
    const time = timeIn(timeZone);
    expect(windowAt(of, time), `${JSON.stringify(of)} at ${time}`).toEqual(byCalendar(of, time));
  }
});

test('a place nobody knows is refused', () => {
  expect(() => new LocalTime('Middle/Earth')).toThrow(RangeError);
});
