import type { CandleWindow, Windows } from '../../src/market/candle-window.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const FIXED: Readonly<Record<string, number>> = {
  ...{ '1s': 1_000, '5s': 5_000, '10s': 10_000, '15s': 15_000, '30s': 30_000 },
  ...{ '1m': MINUTE, '3m': 3 * MINUTE, '5m': 5 * MINUTE, '15m': 15 * MINUTE, '30m': 30 * MINUTE },
  ...{ '1h': HOUR, '2h': 2 * HOUR, '4h': 4 * HOUR, '6h': 6 * HOUR, '12h': 12 * HOUR },
};
const A_MONDAY = Date.UTC(2024, 0, 1);

/** What a clock on the wall shows, as if it were UTC. */
const walls = new Map<string, Intl.DateTimeFormat>();
function wallAt(time: number, timeZone: string): number {
  let format = walls.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    walls.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day, hour, minute, second } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((time % 1_000) + 1_000) % 1_000);
}

const instants = new Map<string, number>();
/** When a clock shows this: the first time, where it does twice; where it never does, as much later as it jumps. */
function instantOf(wall: number, timeZone: string): number {
  const key = `${timeZone} ${wall}`;
  const known = instants.get(key);
  if (known !== undefined) return known;
  const [before, after] = [-DAY, DAY].map((by) => wallAt(wall + by, timeZone) - (wall + by)) as [number, number];
  const shown = [wall - before, wall - after].filter((time) => wallAt(time, timeZone) === wall);
  const found = shown.length > 0 ? Math.min(...shown) : wall - before;
  instants.set(key, found);
  return found;
}

/** Where windows begin and end from one time to another, and a few on either side; ascending. */
export function edgesByHand({ interval, timeZone, anchor }: Windows, from: number, to: number): readonly number[] {
  const length = FIXED[interval] ?? (timeZone === 'UTC' ? { '1d': DAY, '1w': 7 * DAY }[interval as string] : undefined);
  if (length !== undefined) {
    const start = anchor ?? (interval === '1w' ? A_MONDAY : 0);
    const [first, last] = [Math.floor((from - start) / length) - 1, Math.ceil((to - start) / length) + 1];
    return Array.from({ length: last - first + 1 }, (_, k) => start + (first + k) * length);
  }
  const end = anchor === null ? null : wallAt(anchor, timeZone);
  const timeOfDay = end === null ? 0 : ((end % DAY) + DAY) % DAY;
  const midnight = (wall: number) => Math.floor(wall / DAY) * DAY;
  const [firstDay, lastDay] = [midnight(wallAt(from, timeZone)), midnight(wallAt(to, timeZone))];
  const days: number[] = [];
  if (interval === '1M') {
    const wanted = end === null ? 1 : new Date(end).getUTCDate();
    const [begin, stop] = [new Date(firstDay), lastDay + 63 * DAY];
    for (let month = begin.getUTCMonth() - 2; ; month += 1) {
      const lastOfMonth = new Date(Date.UTC(begin.getUTCFullYear(), month + 1, 0)).getUTCDate();
      const day = Date.UTC(begin.getUTCFullYear(), month, Math.min(wanted, lastOfMonth));
      if (day > stop) break;
      days.push(day);
    }
  } else {
    const weekday = interval === '1w' ? new Date(end ?? A_MONDAY).getUTCDay() : null;
    const around = interval === '1w' ? 14 * DAY : 2 * DAY;
    for (let day = firstDay - around; day <= lastDay + around; day += DAY)
      if (weekday === null || new Date(day).getUTCDay() === weekday) days.push(day);
  }
  return days.map((day) => instantOf(day + timeOfDay, timeZone));
}

/** Windows that end after `from` and begin before `to`, ascending. */
export function windowsByHand(windows: Windows, from: number, to: number): readonly CandleWindow[] {
  const edges = edgesByHand(windows, from, to);
  return edges
    .slice(1)
    .map((closeTime, k) => ({ openTime: edges[k] ?? 0, closeTime }))
    .filter(({ openTime, closeTime }) => closeTime > from && openTime < to);
}
