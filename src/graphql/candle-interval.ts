import { CANDLE_INTERVALS, type CandleInterval } from '../market/candle-window.ts';
import { builder } from './builder.ts';

/** An interval as the API names it, such as "M1". */
export const intervalName = (interval: CandleInterval): string =>
  (interval === '1M' ? 'MO1' : `${interval.at(-1)}${interval.slice(0, -1)}`).toUpperCase();

const UNITS = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', M: 'month' } as const;

const inWords = (interval: CandleInterval): string => {
  const [count, unit] = [Number(interval.slice(0, -1)), UNITS[interval.at(-1) as keyof typeof UNITS]];
  return `${count} ${unit}${count === 1 ? '' : 's'}.`;
};

export const CandleIntervalEnum = builder.enumType('CandleInterval', {
  description: 'Length of a candle. Days, weeks (from Monday) and months follow the calendar of `timeZone`.',
  values: Object.fromEntries(
    CANDLE_INTERVALS.map((interval) => [intervalName(interval), { value: interval, description: inWords(interval) }]),
  ),
});
