import { InvalidArgumentError } from 'commander';
import { formatTime, parseTime } from '../runtime/date-time.ts';

/** A day or a time of it in UTC, as ISO-8601. A day that does not exist is none: `Date` would take 30 February for 2 March. */
export function readTime(text: string): string {
  const [, day, minute = 'T00:00', second = ':00'] =
    /^(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?Z)?$/.exec(text) ?? [];
  const ms = parseTime(`${day}${minute}${second}Z`);
  if (ms !== null) return formatTime(ms);
  throw new InvalidArgumentError('A time should be in UTC, such as 2026-01-31 or 2026-01-31T12:00:00Z.');
}

/** Where a server listens. */
export function readAddress(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw new InvalidArgumentError('An address should be such as http://127.0.0.1:4000.');
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** How long something is good, in ms; null for ever. */
export function readLife(text: string): number | null {
  if (text === 'never') return null;
  const [, count, unit = ''] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('A time to live should be such as 12h, 90d or 52w, or never.');
}
