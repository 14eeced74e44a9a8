import { dayTicker, depthSnapshot, klineRow, restAggTrade, restTrade } from './binance-frames.ts';
import { CandleHistory } from './candle-history.ts';
import type { RestAnswer, RestCall } from './dialect.ts';
import type { Instrument } from './instrument.ts';
import { BINANCE_INTERVALS } from './interval.ts';
import type { Market } from './market.ts';
import { RateWindow } from './rate-window.ts';
import { countAt, groupAt, groupOf, placeOf, type Tape } from './tape.ts';
import { stepAt } from './tape-book.ts';

interface BinanceRestSetup {
  readonly markets: ReadonlyMap<string, Market>;
  readonly enforceLimits: boolean;
}

interface Path {
  weight(call: RestCall): number;
  read(call: RestCall, markets: ReadonlyMap<string, Market>, history: CandleHistory): string;
}

const WEIGHT_PER_MINUTE = 6_000;
/** Who goes on after 429 for so much more weight is banned. */
const BAN_WEIGHT = 600;

/** https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints */
const PATHS: Readonly<Record<string, Path>> = {
  '/api/v3/ping': { weight: () => 1, read: () => '{}' },
  '/api/v3/time': { weight: () => 1, read: ({ now }) => `{"serverTime":${now}}` },
  '/api/v3/exchangeInfo': { weight: () => 20, read: exchangeInfo },
  '/api/v3/depth': {
    weight: ({ query }) => depthWeight(Number(query.get('limit') ?? 100)),
    read: (call, markets) => {
      const { tape } = marketOf(call, markets);
      return depthSnapshot(tape, stepAt(tape, call.now), limitOf(call, 100, 5_000));
    },
  },
  '/api/v3/trades': { weight: () => 25, read: (call, markets) => trades(call, marketOf(call, markets), null) },
  '/api/v3/historicalTrades': {
    weight: () => 25,
    read: (call, markets) => trades(call, marketOf(call, markets), call.query.get('fromId')),
  },
  '/api/v3/aggTrades': { weight: () => 4, read: (call, markets) => aggTrades(call, marketOf(call, markets)) },
  '/api/v3/klines': {
    weight: () => 2,
    read: (call, markets, history) => klines(call, marketOf(call, markets), history),
  },
  '/api/v3/ticker/24hr': {
    weight: () => 2,
    read: (call, markets) => {
      const market = marketOf(call, markets);
      return dayTicker(market.tape, market.count, call.now);
    },
  },
};

/** Binance REST for public data. Bodies are written as text, so that nothing passes through a float. */
export class BinanceRest {
  readonly #setup: BinanceRestSetup;
  readonly #history = new CandleHistory();
  readonly #minute = new RateWindow(WEIGHT_PER_MINUTE, 60_000);

  constructor(setup: BinanceRestSetup) {
    this.#setup = setup;
  }

  answer(call: RestCall): RestAnswer {
    const path = Object.hasOwn(PATHS, call.path) ? PATHS[call.path] : undefined;
    if (path === undefined)
      return { status: 404, body: '<html><body>404</body></html>', headers: { 'content-type': 'text/html' } };
    const within = this.#minute.spend(path.weight(call), call.now);
    const headers = {
      'x-mbx-used-weight-1m': String(this.#minute.used),
      'x-mbx-used-weight': String(this.#minute.used),
    };
    if (this.#setup.enforceLimits && !within) {
      const banned = this.#minute.used > WEIGHT_PER_MINUTE + BAN_WEIGHT;
      const msg = `Too much request weight used; current limit is ${WEIGHT_PER_MINUTE} request weight per 1 MINUTE.`;
      return {
        status: banned ? 418 : 429,
        body: JSON.stringify({
          code: -1003,
          msg: banned ? `Way too much request weight used; IP banned until ${call.now + 60_000}.` : msg,
        }),
        headers: { ...headers, 'retry-after': String(this.#minute.retryAfterS(call.now)) },
      };
    }
    try {
      return { status: 200, body: path.read(call, this.#setup.markets, this.#history), headers };
    } catch (refusal) {
      if (refusal instanceof Refusal) return { status: 400, body: refusal.body, headers };
      throw refusal;
    }
  }
}

class Refusal extends Error {
  readonly body: string;

  constructor(code: number, msg: string) {
    super(msg);
    this.body = JSON.stringify({ code, msg });
  }
}

function marketOf(call: RestCall, markets: ReadonlyMap<string, Market>): Market {
  const symbol = call.query.get('symbol');
  if (symbol === null)
    throw new Refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  const market = markets.get(symbol);
  if (market === undefined) throw new Refusal(-1121, 'Invalid symbol.');
  return market;
}

function limitOf(call: RestCall, usual: number, most: number): number {
  const limit = integer(call, 'limit') ?? usual;
  if (limit < 1) throw new Refusal(-1130, "Data sent for parameter 'limit' is not valid.");
  return Math.min(most, limit);
}

function integer(call: RestCall, name: string): number | null {
  const text = call.query.get(name);
  if (text === null) return null;
  if (!/^\d{1,15}$/.test(text))
    throw new Refusal(-1100, `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`);
  return Number(text);
}

const list = (items: readonly string[]): string => `[${items.join(',')}]`;

const range = (start: number, end: number): readonly number[] =>
  Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);

const happened = (call: RestCall, { tape, count }: Market): number => Math.max(count, countAt(tape, call.now));

const firstKnown = (call: RestCall, tape: Tape): number => countAt(tape, call.oldest - 1);

/** Ascending; `fromId` inclusive, without it the newest. */
function trades(call: RestCall, market: Market, fromId: string | null): string {
  const { tape } = market;
  const limit = limitOf(call, 500, 1000);
  const count = happened(call, market);
  if (fromId !== null && !/^\d{1,20}$/.test(fromId))
    throw new Refusal(-1100, "Illegal characters found in parameter 'fromId'; legal range is '^[0-9]{1,20}$'.");
  const wanted =
    fromId === null ? count - limit : (placeOf(tape, fromId) ?? (BigInt(fromId) < tape.firstId ? 0 : count));
  const start = Math.max(0, wanted, firstKnown(call, tape));
  return list(range(start, Math.min(count, start + limit)).map((k) => restTrade(tape, k)));
}

/** Ascending; from `fromId` (of aggregates) or `startTime`, both inclusive; without them the newest up to `endTime`. */
function aggTrades(call: RestCall, market: Market): string {
  const { tape } = market;
  const limit = limitOf(call, 500, 1000);
  const [fromId, startTime, endTime] = [integer(call, 'fromId'), integer(call, 'startTime'), integer(call, 'endTime')];
  if (fromId !== null && (startTime !== null || endTime !== null))
    throw new Refusal(-1128, 'Combination of optional parameters invalid.');
  const count = Math.min(happened(call, market), endTime === null ? Number.POSITIVE_INFINITY : countAt(tape, endTime));
  if (count === 0) return '[]';
  const end = groupOf(tape, count - 1).number + 1;
  const known = groupOf(tape, firstKnown(call, tape)).number;
  const wanted = fromId ?? (startTime === null ? end - limit : groupOf(tape, countAt(tape, startTime - 1)).number);
  const start = Math.max(0, wanted, known);
  return list(range(start, Math.min(end, start + limit)).map((number) => restAggTrade(tape, groupAt(tape, number))));
}

function klines(call: RestCall, market: Market, history: CandleHistory): string {
  const { tape } = market;
  const interval = BINANCE_INTERVALS.get(call.query.get('interval') ?? '');
  if (interval === undefined) throw new Refusal(-1120, 'Invalid interval.');
  const limit = limitOf(call, 500, 1000);
  const running = interval.openOf(call.now);
  const [startTime, endTime] = [integer(call, 'startTime'), integer(call, 'endTime')];
  const first = Math.max(tape.startTime, startTime ?? 0);
  const last = Math.min(running, endTime ?? running);
  const firstOpen = interval.openOf(first) === first ? first : interval.closeOf(interval.openOf(first));
  const opens: number[] = [];
  if (startTime === null)
    for (let open = interval.openOf(last); opens.length < limit && open >= first; open = interval.openOf(open - 1))
      opens.push(open);
  else for (let open = firstOpen; opens.length < limit && open <= last; open = interval.closeOf(open)) opens.push(open);
  const candles = history
    .read(tape, interval, opens, happened(call, market))
    .toSorted((a, b) => a.openTime - b.openTime);
  return list(candles.map((candle) => klineRow(tape, candle)));
}

const depthWeight = (limit: number): number => (limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250);

function exchangeInfo(call: RestCall, markets: ReadonlyMap<string, Market>): string {
  const one = call.query.get('symbol');
  const wanted = one === null ? [...markets.values()] : [marketOf(call, markets)];
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: call.now,
    rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: WEIGHT_PER_MINUTE }],
    exchangeFilters: [],
    symbols: wanted.map(({ tape }) => listed(tape.instrument)),
  });
}

const listed = (instrument: Instrument) => {
  const unit = (places: number) => (places === 0 ? '1.00000000' : `0.${'1'.padStart(places, '0')}`);
  return {
    symbol: instrument.nativeSymbol,
    status: 'TRADING',
    baseAsset: instrument.base,
    baseAssetPrecision: 8,
    quoteAsset: instrument.quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    isSpotTradingAllowed: true,
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: unit(instrument.pricePlaces),
        maxPrice: '1000000.00000000',
        tickSize: unit(instrument.pricePlaces),
      },
      {
        filterType: 'LOT_SIZE',
        minQty: unit(instrument.sizePlaces),
        maxQty: '90000000.00000000',
        stepSize: unit(instrument.sizePlaces),
      },
    ],
    permissions: ['SPOT'],
  };
};
