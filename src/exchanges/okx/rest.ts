import { AppError } from '../../runtime/errors.ts';
import type { ListedInstrument, RestApi, RestRequest } from '../adapter.ts';
import { readEach, recordOf, textOf, timeOf, unfit, type Wire } from '../fields.ts';
import { isObject, parseObject, tryJson } from '../json.ts';
import { byOpenTime, byTradeId, readMost } from '../rows.ts';
import { BARS } from './channels.ts';
import { reactionTo } from './errors.ts';
import { readBook, readCandle, readTrade } from './records.ts';

/**
 * OKX limits each path by itself. At most 200 in any 2 s, spent in the weights below, keeps all of them:
 * 100 trades, 40 candles or books, 20 trade pages or instrument lists. Of times 10 would be allowed; nobody asks for two in a row.
 */
const WEIGHT = { trades: 2, candles: 5, books: 5, tradePage: 10, instruments: 10, time: 10 };

const RECENT = 500;

/** Instrument id does not exist. */
const UNKNOWN_INSTRUMENT = '51001';

const KINDS: ReadonlyMap<unknown, ListedInstrument['kind']> = new Map([
  ['SPOT', 'spot'],
  ['SWAP', 'swap'],
  ['FUTURES', 'future'],
  ['OPTION', 'option'],
]);

export const rest: RestApi = {
  budget: { weight: 190, perMs: 2_000, burst: 10 },
  // OPTION lists need an instrument family each and are left out.
  instruments: () =>
    ['SPOT', 'SWAP', 'FUTURES'].map((instType) => get('public/instruments', { instType }, WEIGHT.instruments)),
  readInstruments: (body) => readMost(dataOf(body), readInstrument),
  orderBook: (instId) => get('market/books', { instId, sz: '400' }, WEIGHT.books),
  readOrderBook: (body, receivedAt) => {
    const change = readBook(dataOf(body)[0], 'snapshot', null, receivedAt);
    if (change.type === 'snapshot') return change;
    throw new AppError('FRAME_MALFORMED', 'An OKX order book came as an update');
  },
  recentTrades: (instId) => get('market/trades', { instId, limit: String(RECENT) }, WEIGHT.trades),
  recentLimit: RECENT,
  pages: 'down',
  // `after` walks into the past: ids below it, newest first. `before` is left out: alone it gives the newest, and together with
  // `after` an empty page would not tell whether OKX has looked.
  tradesPage: (instId, { beforeId }) =>
    get('market/history-trades', { instId, type: '1', after: beforeId, limit: '100' }, WEIGHT.tradePage),
  tradesAround: (instId, time) =>
    get('market/history-trades', { instId, type: '2', after: String(time), limit: '10' }, WEIGHT.tradePage),
  readTrades: (body, route, receivedAt) => {
    const { accepted, rejected } = readEach(dataOf(body), (record) => readTrade(record, route, receivedAt));
    return { events: accepted.sort(byTradeId), rejected };
  },
  candles: (instId, interval) => get('market/candles', { instId, bar: barOf(interval), limit: '300' }, WEIGHT.candles),
  readCandles: (body, route, interval, receivedAt) => {
    const { accepted, rejected } = readEach(dataOf(body), (row) => readCandle(row, interval, route, receivedAt));
    return { events: accepted.sort(byOpenTime), rejected };
  },
  time: () => get('public/time', {}, WEIGHT.time),
  readTime: (body) => readClock(dataOf(body)[0]),
  readFailure,
};

const get = (path: string, query: Readonly<Record<string, string>>, weight: number): RestRequest => ({
  path: `/api/v5/${path}`,
  query,
  weight,
});

function barOf(interval: string): string {
  const bar = BARS.get(interval);
  if (bar !== undefined) return bar;
  throw new AppError(
    'BAD_USER_INPUT',
    `OKX prints no candles of "${interval.slice(0, 20)}"; choose ${[...BARS.keys()].join(', ')}`,
  );
}

/** The rows inside OKX's envelope. @throws {AppError} EXCHANGE_REST_FAILED or SYMBOL_UNKNOWN when it holds an error under HTTP 200. */
function dataOf(body: string): readonly unknown[] {
  const { code, msg, data } = parseObject(body);
  if (code === UNKNOWN_INSTRUMENT)
    throw new AppError('SYMBOL_UNKNOWN', `OKX lists no such instrument (${code}: ${String(msg).slice(0, 200)})`);
  if (code !== '0')
    throw new AppError(
      'EXCHANGE_REST_FAILED',
      `OKX answered code ${String(code).slice(0, 16)}: ${String(msg).slice(0, 200)}`,
    );
  if (Array.isArray(data)) return data;
  throw new AppError('FRAME_MALFORMED', 'An OKX answer holds no data array');
}

/** Derivatives print no base and quote currency; the first two parts of the id are their underlying. */
function readInstrument(found: unknown): ListedInstrument {
  const listed = isObject(found) ? found : {};
  const symbol = textOf(listed.instId, 'instId');
  const [first = '', second = ''] = symbol.split('-');
  const kind = KINDS.get(listed.instType);
  if (kind === undefined) throw unfit('bad-word', 'instType', 'SPOT, SWAP, FUTURES or OPTION', listed.instType);
  const named = (currency: unknown, part: string) =>
    typeof currency === 'string' && currency !== '' ? currency : part;
  const [base, quote] = [named(listed.baseCcy, first), named(listed.quoteCcy, second)];
  return { symbol, nativeSymbol: symbol, base, quote, kind, trading: listed.state === 'live' };
}

function readClock(found: unknown): number {
  const clock: Wire<'ts'> = recordOf(found);
  return timeOf(clock.ts, 'ts');
}

function readFailure(status: number, body: string): ReturnType<RestApi['readFailure']> {
  const answer = tryJson(body);
  const code =
    isObject(answer) && typeof answer.code === 'string' && answer.code !== '0' ? answer.code : `HTTP ${status}`;
  const message = isObject(answer) && typeof answer.msg === 'string' ? answer.msg : body;
  const refused = code.startsWith('HTTP') && status >= 400 && status < 500 && status !== 429 && status !== 408;
  return { reaction: refused ? 'drop-channel' : reactionTo(code), code, message: message.slice(0, 300) };
}
