/** What ISO-8601 writes with four digits and PostgreSQL takes: the years 1 to 9999. */
const EARLIEST = Date.parse('0001-01-01T00:00:00.000Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

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

let lastSecond = Number.NaN;
let lastPrefix = '';

/** ISO-8601 in UTC with milliseconds. Times of one page share most seconds, so the last one formatted is kept. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  return `${lastPrefix}${String(ms - second * 1000).padStart(3, '0')}Z`;
}
