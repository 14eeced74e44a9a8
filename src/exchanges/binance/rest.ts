import { AppError } from '../../runtime/errors.ts';
import type { ListedInstrument, Reaction, RestApi, RestRequest } from '../adapter.ts';
import { readEach, recordOf, textOf, timeOf, type Wire } from '../fields.ts';
import { isObject, parseJson, parseObject, tryJson } from '../json.ts';
import { byOpenTime, byTradeId, readMost } from '../rows.ts';
import { readDepth, readKlineRow, readTrade } from './records.ts';
import { KLINES } from './streams.ts';

const HOUR_MS = 3_600_000;

/** Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api */
export const rest: RestApi = {
  // 6,000 a minute for the whole IP address: 5,760 in the worst minute, and a fifth on average is left to whoever shares it.
  budget: { weight: 4_800, perMs: 60_000, burst: 960 },
  // Who may trade what is most of the list's bytes and of no use to us.
  instruments: () => [{ ...get('exchangeInfo', { showPermissionSets: 'false' }, 20), maxBytes: 10 * 1024 * 1024 }],
  readInstruments: (body) => {
    const { symbols } = parseObject(body);
    if (!Array.isArray(symbols)) throw new AppError('FRAME_MALFORMED', 'The Binance exchangeInfo holds no symbols');
    return readMost(symbols, readInstrument);
  },
  // 1,000 levels cost 50, all 5,000 cost 250: after a reconnect the books of a hundred pairs come within a minute.
  orderBook: (symbol) => get('depth', { symbol, limit: '1000' }, 50),
  readOrderBook: (body, receivedAt) => readDepth(parseObject(body), receivedAt),
  recentTrades: (symbol) => get('trades', { symbol, limit: '1000' }, 25),
  recentLimit: 1_000,
  pages: 'up',
  tradesPage: (symbol, { afterId }) =>
    get('historicalTrades', { symbol, fromId: String(BigInt(afterId) + 1n), limit: '1000' }, 25),
  // Only aggregates can be asked for by time; a window must be shorter than an hour.
  tradesAround: (symbol, time) =>
    get('aggTrades', { symbol, startTime: String(time), endTime: String(time + HOUR_MS - 1), limit: '10' }, 4),
  readTrades: (body, route, receivedAt) => {
    const { accepted, rejected } = readEach(rowsOf(body), (row) => readTrade(row, route, receivedAt));
    return { events: accepted.sort(byTradeId), rejected };
  },
  candles: (symbol, interval) => get('klines', { symbol, interval: known(interval), limit: '1000' }, 2),
  readCandles: (body, route, interval, receivedAt) => {
    const { accepted, rejected } = readEach(rowsOf(body), (row) =>
      readKlineRow(row, known(interval), route, receivedAt),
    );
    return { events: accepted.sort(byOpenTime), rejected };
  },
  time: () => get('time', {}, 1),
  readTime: (body) => timeOf(parseObject(body).serverTime, 'serverTime'),
  readFailure,
};

const get = (path: string, query: Readonly<Record<string, string>>, weight: number): RestRequest => ({
  path: `/api/v3/${path}`,
  query,
  weight,
});

function known(interval: string): string {
  if (KLINES.has(`kline_${interval}`)) return interval;
  const choice = [...KLINES.values()].join(', ');
  throw new AppError('BAD_USER_INPUT', `Binance prints no candles of "${interval.slice(0, 20)}"; choose ${choice}`);
}

function rowsOf(body: string): readonly unknown[] {
  const rows = parseJson(body);
  if (Array.isArray(rows)) return rows;
  throw new AppError('FRAME_MALFORMED', `A Binance list is not an array: ${body.slice(0, 80)}`);
}

/** BTCUSDT could be split anywhere; only Binance's own list says where. */
function readInstrument(found: unknown): ListedInstrument {
  const listed: Wire<'symbol' | 'baseAsset' | 'quoteAsset' | 'status' | 'isSpotTradingAllowed'> = recordOf(found);
  const [base, quote] = [textOf(listed.baseAsset, 'baseAsset'), textOf(listed.quoteAsset, 'quoteAsset')];
  return {
    symbol: `${base}-${quote}`,
    nativeSymbol: textOf(listed.symbol, 'symbol'),
    base,
    quote,
    kind: 'spot',
    trading: listed.status === 'TRADING' && listed.isSpotTradingAllowed !== false,
  };
}

const REACTIONS: ReadonlyMap<string, Reaction> = new Map([
  ['-1000', 'retry'], // unknown error
  ['-1001', 'retry'], // disconnected
  ['-1003', 'retry'], // too many requests
  ['-1006', 'retry'], // unexpected response
  ['-1007', 'retry'], // time-out
  ['-1008', 'retry'], // overloaded
  ['-1016', 'retry'], // shutting down
  ['-2014', 'stop-login'], // key of a wrong format
  ['-2015', 'stop-login'], // wrong key, address or permission
  ['-1021', 'retry-login'], // clock skew
]);

/** Busy answers come as 429, as 418 when banned for going on, as 403 from the firewall; the rest of 4xx stays wrong. */
function readFailure(status: number, body: string): ReturnType<RestApi['readFailure']> {
  const answer = tryJson(body);
  const code = isObject(answer) && Number.isInteger(answer.code) ? String(answer.code) : `HTTP ${status}`;
  const message = isObject(answer) && typeof answer.msg === 'string' ? answer.msg : body;
  const busy = status === 429 || status === 418 || status === 403 || status >= 500;
  return { reaction: REACTIONS.get(code) ?? (busy ? 'retry' : 'drop-channel'), code, message: message.slice(0, 300) };
}
