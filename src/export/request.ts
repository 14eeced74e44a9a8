import { CANDLE_INTERVALS, type CandleInterval } from '../market/candle-window.ts';
import { formatTime, parseTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import { isStorable } from '../storage/storable.ts';
import { readStateToken, type StateToken } from './state-token.ts';

export const EXPORT_TYPES = ['trades', 'candles'] as const;
export type ExportType = (typeof EXPORT_TYPES)[number];
export const EXPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What is asked for. Times in ms; trades of [from, to), candles whose end lies in (from, to]. */
export interface ExportRequest {
  readonly exchange: string;
  readonly symbol: string;
  readonly type: ExportType;
  /** Null for trades. */
  readonly interval: CandleInterval | null;
  readonly from: number;
  readonly to: number;
  readonly format: ExportFormat;
  /** The state a manifest told of; null for what is there now. */
  readonly state: StateToken | null;
}

const PARAMETERS = ['exchange', 'symbol', 'type', 'interval', 'from', 'to', 'format', 'state'];

/** @throws {AppError} BAD_USER_INPUT naming the parameter, the rule and what was given. */
export function readExportRequest(parameters: URLSearchParams, now: number): ExportRequest {
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name))
      throw bad(`There is no parameter \`${shown(name)}\`; there are ${named(PARAMETERS)}`);
    if (parameters.getAll(name).length > 1) throw bad(`\`${name}\` should be given once`);
  }
  const required = (name: string): string => {
    const text = parameters.get(name);
    if (text === null || text === '' || !isStorable(text)) throw bad(`\`${name}\` is missing`);
    return text;
  };
  const oneOf = <T extends string>(name: string, words: readonly T[]): T => {
    const text = required(name);
    const found = words.find((word) => word === text);
    if (found === undefined) throw bad(`\`${name}\` should be one of ${words.join(', ')}, was "${shown(text)}"`);
    return found;
  };
  const time = (name: string): number => {
    const text = required(name);
    const ms = parseTime(text);
    if (ms === null)
      throw bad(
        `\`${name}\` should be an ISO-8601 time with a zone, such as 2026-01-31T12:00:00Z, was "${shown(text)}"`,
      );
    return ms;
  };
  const [exchange, symbol] = [required('exchange'), required('symbol')];
  const type = oneOf('type', EXPORT_TYPES);
  if (type === 'trades' && parameters.has('interval'))
    throw bad('`interval` is of candles; leave it out, or ask for type=candles');
  const interval = type === 'candles' ? oneOf('interval', CANDLE_INTERVALS) : null;
  const format = oneOf('format', EXPORT_FORMATS);
  const from = time('from');
  const to = parameters.has('to') ? time('to') : now;
  if (from >= to) throw bad(`\`from\` (${formatTime(from)}) should be before \`to\` (${formatTime(to)})`);
  const token = parameters.get('state');
  const state = token === null ? null : readStateToken(token);
  return { exchange, symbol, type, interval, from, to, format, state };
}

/** The same request as the query of an address. */
export const toParameters = (request: ExportRequest, state: string): URLSearchParams => {
  const { exchange, symbol, type, interval, from, to, format } = request;
  return new URLSearchParams({
    ...{ exchange, symbol, type },
    ...(interval !== null && { interval }),
    ...{ from: formatTime(from), to: formatTime(to), format, state },
  });
};

/** Such as "okx_BTC-USDT_candles_1m_20261101T000000Z_20261102T000000Z.csv". */
export function fileNameOf({ exchange, symbol, type, interval, from, to, format }: ExportRequest): string {
  const at = (ms: number) => formatTime(ms).replace(/[-:]/g, '').replace('.000', '');
  const parts = [exchange, symbol, type, ...(interval === null ? [] : [interval]), at(from), at(to)];
  return `${parts.join('_').replace(/[^\w.-]/g, '_')}.${format}`;
}

const bad = (message: string) => new AppError('BAD_USER_INPUT', message);
const named = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
const shown = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
