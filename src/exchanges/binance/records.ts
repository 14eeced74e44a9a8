import { DataType } from '../../market/data-type.ts';
import type { ExchangeCandle, MarketEvent, Ticker, Trade } from '../../market/market-event.ts';
import type { BookChange, Route } from '../adapter.ts';
import { readStoredBook } from '../book-payload.ts';
import {
  decimalOf,
  idOf,
  integerOf,
  levelsOf,
  optionalDecimalOf,
  recordOf,
  timeOf,
  unfit,
  type Wire,
} from '../fields.ts';
import { closeTimeOf } from '../intervals.ts';
import { KLINES } from './streams.ts';

type TradeEvent = Wire<'s' | 't' | 'f' | 'l' | 'p' | 'q' | 'T' | 'm'>;
type TradeRow = Wire<'id' | 'price' | 'qty' | 'time' | 'isBuyerMaker'>;
type TickerEvent = Wire<'s' | 'u' | 'E' | 'T' | 'c' | 'Q' | 'b' | 'B' | 'a' | 'A' | 'o' | 'h' | 'l' | 'v' | 'q'>;
type DiffEvent = Wire<'s' | 'E' | 'U' | 'u' | 'pu' | 'b' | 'a'>;
type DepthRow = Wire<'lastUpdateId' | 'E' | 'bids' | 'asks'>;
type KlineEvent = Wire<'t' | 'i' | 'o' | 'h' | 'l' | 'c' | 'v' | 'q' | 'n' | 'x'>;

/** A `trade` or `aggTrade` event, or a row of their REST lists. An aggregate has the ids `f` to `l` and goes by its last. */
export function readTrade(found: unknown, route: Route, receivedAt: number): Trade {
  const trade: TradeEvent & TradeRow = recordOf(found);
  owned(trade.s, route);
  const isRow = trade.id !== undefined; // REST spells the fields out
  const buyerIsMaker = isRow ? trade.isBuyerMaker : trade.m;
  if (typeof buyerIsMaker !== 'boolean') throw unfit('wrong-type', 'm', 'true or false', buyerIsMaker);
  return {
    kind: 'trade',
    exchange: 'binance',
    symbol: route.symbol,
    exchangeTime: timeOf(isRow ? trade.time : trade.T, 'T'), // `E` is when it was published, not traded
    receivedAt,
    raw: route.dropsPayload?.() ? null : found,
    tradeId: isRow ? idOf(trade.id, 'id') : trade.f === undefined ? idOf(trade.t, 't') : idOf(trade.l, 'l'),
    fillCount: trade.f === undefined ? 1 : fillCountOf(idOf(trade.f, 'f'), idOf(trade.l, 'l')),
    price: decimalOf(isRow ? trade.price : trade.p, 'p'),
    size: decimalOf(isRow ? trade.qty : trade.q, 'q'),
    side: buyerIsMaker ? 'sell' : 'buy', // the buyer was the maker, so the taker sold
  };
}

/**
 * A `bookTicker` event, a 24 h `ticker` event, or the two merged by `{ ...ticker, ...bookTicker }`. Spot sends no time
 * with a best bid and ask, and then (`u` without `T`) the time is when we received it.
 */
export function readTicker(found: unknown, route: Route, receivedAt: number): Ticker {
  const ticker: TickerEvent = recordOf(found);
  owned(ticker.s, route);
  if (ticker.c === undefined && ticker.b === undefined) throw unfit('missing-field', 'b or c', 'a price', undefined);
  return {
    kind: 'ticker',
    exchange: 'binance',
    symbol: route.symbol,
    exchangeTime: ticker.u !== undefined && ticker.T === undefined ? receivedAt : timeOf(ticker.E, 'E'),
    receivedAt,
    raw: found,
    last: optionalDecimalOf(ticker.c, 'c'),
    lastSize: optionalDecimalOf(ticker.Q, 'Q'),
    bid: optionalDecimalOf(ticker.b, 'b'),
    bidSize: optionalDecimalOf(ticker.B, 'B'),
    ask: optionalDecimalOf(ticker.a, 'a'),
    askSize: optionalDecimalOf(ticker.A, 'A'),
    open24h: optionalDecimalOf(ticker.o, 'o'),
    high24h: optionalDecimalOf(ticker.h, 'h'),
    low24h: optionalDecimalOf(ticker.l, 'l'),
    volume24h: optionalDecimalOf(ticker.v, 'v'),
    quoteVolume24h: optionalDecimalOf(ticker.q, 'q'),
  };
}

/** One `depthUpdate`. It follows the one that ended at U - 1; futures name that one as `pu`, because theirs skip numbers. */
export function readDiff(found: unknown, route: Route, receivedAt: number): BookChange {
  const diff: DiffEvent = recordOf(found);
  owned(diff.s, route);
  return {
    type: 'delta',
    exchangeTime: timeOf(diff.E, 'E'),
    receivedAt,
    bids: levelsOf(diff.b, 'b'),
    asks: levelsOf(diff.a, 'a'),
    sequence: integerOf(diff.u, 'u'),
    previous: diff.pu === undefined ? integerOf(diff.U, 'U') - 1 : integerOf(diff.pu, 'pu'),
    checksum: null,
  };
}

/** The whole of `depth5` to `depth20`, or of the REST book. Spot sends neither time nor symbol with it. */
export function readDepth(found: unknown, receivedAt: number): BookChange & { readonly type: 'snapshot' } {
  const depth: DepthRow = recordOf(found);
  return {
    type: 'snapshot',
    exchangeTime: depth.E === undefined ? receivedAt : timeOf(depth.E, 'E'),
    receivedAt,
    bids: levelsOf(depth.bids, 'bids'),
    asks: levelsOf(depth.asks, 'asks'),
    sequence: integerOf(depth.lastUpdateId, 'lastUpdateId'),
    checksum: null,
  };
}

/** A `kline` event. Binance's own close time is 1 ms short of the label, so the label is computed. */
export function readKline(found: unknown, interval: string, route: Route, receivedAt: number): ExchangeCandle {
  const event: Wire<'s' | 'k'> = recordOf(found);
  owned(event.s, route);
  const kline: KlineEvent = recordOf(event.k);
  if (kline.i !== interval) throw unfit('bad-word', 'k.i', `"${interval}"`, kline.i);
  if (typeof kline.x !== 'boolean') throw unfit('wrong-type', 'k.x', 'true or false', kline.x);
  const openTime = timeOf(kline.t, 'k.t');
  const closeTime = closeTimeOf(interval, openTime);
  return {
    kind: 'candle',
    exchange: 'binance',
    symbol: route.symbol,
    exchangeTime: closeTime,
    receivedAt,
    raw: found,
    interval,
    openTime,
    closeTime,
    open: decimalOf(kline.o, 'k.o'),
    high: decimalOf(kline.h, 'k.h'),
    low: decimalOf(kline.l, 'k.l'),
    close: decimalOf(kline.c, 'k.c'),
    volume: decimalOf(kline.v, 'k.v'),
    quoteVolume: optionalDecimalOf(kline.q, 'k.q'),
    tradeCount: kline.n === undefined ? null : integerOf(kline.n, 'k.n'),
    closed: kline.x,
  };
}

/** A REST row [open time, o, h, l, c, v, close time, quote volume, trades, ...]; it has no closed flag, so our clock decides. */
export function readKlineRow(found: unknown, interval: string, route: Route, receivedAt: number): ExchangeCandle {
  if (!Array.isArray(found)) throw unfit('wrong-type', 'a kline', 'an array', found);
  const openTime = timeOf(found[0], 'open time');
  const closeTime = closeTimeOf(interval, openTime);
  return {
    kind: 'candle',
    exchange: 'binance',
    symbol: route.symbol,
    exchangeTime: closeTime,
    receivedAt,
    raw: found,
    interval,
    openTime,
    closeTime,
    open: decimalOf(found[1], 'open'),
    high: decimalOf(found[2], 'high'),
    low: decimalOf(found[3], 'low'),
    close: decimalOf(found[4], 'close'),
    volume: decimalOf(found[5], 'volume'),
    quoteVolume: optionalDecimalOf(found[7], 'quote volume'),
    tradeCount: integerOf(found[8], 'trades'),
    closed: closeTime <= receivedAt,
  };
}

/** Reads a stored payload back. @throws {AppError} FRAME_MALFORMED when it is not what was stored. */
export function readPayload(payload: unknown, route: Route, receivedAt: number): MarketEvent {
  switch (route.channel.dataType) {
    case DataType.TRADE:
      return readTrade(payload, route, receivedAt);
    case DataType.TICKER:
      return readTicker(payload, route, receivedAt);
    case DataType.CANDLE: {
      const read = Array.isArray(payload) ? readKlineRow : readKline;
      return read(payload, KLINES.get(route.channel.name) ?? '', route, receivedAt);
    }
    case DataType.ORDERBOOK:
      return readStoredBook('binance', payload, route, receivedAt);
    case DataType.BALANCE:
      throw unfit('bad-word', 'dataType', 'one that Binance is read for', DataType.BALANCE);
  }
}

/** A record of another instrument than its stream says belongs to nobody. */
function owned(symbol: unknown, route: Route): void {
  if (symbol !== undefined && symbol !== route.channel.nativeSymbol)
    throw unfit('wrong-instrument', 's', `${route.channel.nativeSymbol}`, symbol);
}

function fillCountOf(first: string, last: string): number {
  const fills = Number(BigInt(last) - BigInt(first)) + 1;
  if (fills >= 1 && fills <= 1_000_000) return fills;
  throw unfit('bad-integer', 'l', 'f or up to a million more', last);
}
