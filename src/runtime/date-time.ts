/** What ISO-8601 writes with four digits and PostgreSQL takes: the years 1 to 9999. */
const EARLIEST = Date.parse('0001-01-01T00:00:00.000Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/** ISO-8601 of a time, ms; of one out of reach that of the nearest: a candle at the edge reaches beyond it, where nothing is stored. */
export const toInstant = (ms: number): string => new Date(Math.min(Math.max(ms, EARLIEST), LATEST)).toISOString();

export const isInstant = (ms: number): boolean => ms >= EARLIEST && ms <= LATEST;

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/;

/** Ms since the Unix epoch of an RFC 3339 instant; null when the text is none, names no zone, a day that does not exist or a year out of reach. */
export function parseTime(text: string): number | null {
  const parts = INSTANT.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59) return null;
  const ms = Date.parse(text);
  return isInstant(ms) ? ms : null;
}

const DAY = 86_400_000;
const digits = (count: number, places: number) =>
  Array.from({ length: count }, (_, number) => String(number).padStart(places, '0'));
const [TWO_DIGITS, THREE_DIGITS] = [digits(60, 2), digits(1_000, 3)];
let lastDay = Number.NaN;
let lastDate = '';

/** ISO-8601 in UTC with milliseconds. Times of one page share most days, so the last one formatted is kept. */
export function formatTime(ms: number): string {
  const day = Math.floor(ms / DAY);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY).toISOString().slice(0, -13);
    lastDay = day;
  }
  const time = ms - day * DAY;
  const second = Math.floor(time / 1000);
  const minute = Math.floor(second / 60);
  const hour = Math.floor(minute / 60);
  return `${lastDate}${TWO_DIGITS[hour]}:${TWO_DIGITS[minute - hour * 60]}:${TWO_DIGITS[second - minute * 60]}.${THREE_DIGITS[time - second * 1000]}Z`;
}
