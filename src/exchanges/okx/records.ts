import { crc32 } from 'node:zlib';
import { DataType } from '../../market/data-type.ts';
import type { Balance, BookLevel, ExchangeCandle, MarketEvent, Ticker, Trade } from '../../market/market-event.ts';
import type { BookChange, Route } from '../adapter.ts';
import { readStoredBook } from '../book-payload.ts';
import {
  decimalOf,
  idOf,
  integerOf,
  levelsOf,
  optionalDecimalOf,
  recordOf,
  signedDecimalOf,
  textOf,
  timeOf,
  unfit,
  type Wire,
} from '../fields.ts';
import { closeTimeOf } from '../intervals.ts';
import { INTERVALS } from './channels.ts';

type TradeRecord = Wire<'instId' | 'tradeId' | 'px' | 'sz' | 'side' | 'ts' | 'count'>;
type TickerRecord = Wire<
  | 'instId'
  | 'instType'
  | 'last'
  | 'lastSz'
  | 'askPx'
  | 'askSz'
  | 'bidPx'
  | 'bidSz'
  | 'open24h'
  | 'high24h'
  | 'low24h'
  | 'vol24h'
  | 'volCcy24h'
  | 'ts'
>;
type BookRecord = Wire<'instId' | 'asks' | 'bids' | 'ts' | 'checksum' | 'seqId' | 'prevSeqId'>;
type BalanceRecord = Wire<'ccy' | 'cashBal' | 'availBal' | 'frozenBal' | 'uTime'>;

/** One record of `trades-all`, `trades` or REST. `count` fills are packed into one record of `trades`, under the last one's id. */
export function readTrade(found: unknown, route: Route, receivedAt: number): Trade {
  const trade: TradeRecord = recordOf(found);
  owned(trade.instId, route);
  return {
    kind: 'trade',
    exchange: 'okx',
    symbol: route.symbol,
    exchangeTime: timeOf(trade.ts, 'ts'),
    receivedAt,
    raw: route.dropsPayload?.() ? null : found,
    tradeId: idOf(trade.tradeId, 'tradeId'),
    fillCount: trade.count === undefined || trade.count === '1' ? 1 : fillCountOf(trade.count),
    price: decimalOf(trade.px, 'px'),
    size: decimalOf(trade.sz, 'sz'),
    side: trade.side === 'buy' || trade.side === 'sell' ? trade.side : refuseSide(trade.side),
  };
}

export function readTicker(found: unknown, route: Route, receivedAt: number): Ticker {
  const ticker: TickerRecord = recordOf(found);
  owned(ticker.instId, route);
  return {
    kind: 'ticker',
    exchange: 'okx',
    symbol: route.symbol,
    exchangeTime: timeOf(ticker.ts, 'ts'),
    receivedAt,
    raw: found,
    last: optionalDecimalOf(ticker.last, 'last'),
    lastSize: optionalDecimalOf(ticker.lastSz, 'lastSz'),
    bid: optionalDecimalOf(ticker.bidPx, 'bidPx'),
    bidSize: optionalDecimalOf(ticker.bidSz, 'bidSz'),
    ask: optionalDecimalOf(ticker.askPx, 'askPx'),
    askSize: optionalDecimalOf(ticker.askSz, 'askSz'),
    open24h: optionalDecimalOf(ticker.open24h, 'open24h'),
    high24h: optionalDecimalOf(ticker.high24h, 'high24h'),
    low24h: optionalDecimalOf(ticker.low24h, 'low24h'),
    volume24h: optionalDecimalOf(ticker.vol24h, 'vol24h'),
    // For derivatives vol24h counts contracts and volCcy24h is in base currency: there is no quote figure.
    quoteVolume24h: ticker.instType === 'SPOT' ? optionalDecimalOf(ticker.volCcy24h, 'volCcy24h') : null,
  };
}

/** @param action the frame's own; channels without one replace the whole book each time. */
export function readBook(
  found: unknown,
  action: 'snapshot' | 'update',
  route: Route | null,
  receivedAt: number,
): BookChange {
  const book: BookRecord = recordOf(found);
  if (route) owned(book.instId, route);
  const change = {
    exchangeTime: timeOf(book.ts, 'ts'),
    receivedAt,
    bids: levelsOf(book.bids, 'bids'),
    asks: levelsOf(book.asks, 'asks'),
    sequence: optionalIntegerOf(book.seqId, 'seqId'),
    checksum: optionalIntegerOf(book.checksum, 'checksum') || null, // a constant 0 since June 2026
  };
  return action === 'snapshot'
    ? { ...change, type: 'snapshot' }
    : { ...change, type: 'delta', previous: optionalIntegerOf(book.prevSeqId, 'prevSeqId') };
}

/** A row [open time, o, h, l, c, vol, volCcy, volCcyQuote, confirm]; its time is its label, the end of its interval. */
export function readCandle(found: unknown, interval: string, route: Route, receivedAt: number): ExchangeCandle {
  if (!Array.isArray(found)) throw unfit('wrong-type', 'a candle', 'an array', found);
  const openTime = timeOf(found[0], 'ts');
  const closeTime = closeTimeOf(interval, openTime);
  const confirm = found[8];
  if (confirm !== '0' && confirm !== '1') throw unfit('bad-word', 'confirm', '"0" or "1"', confirm);
  return {
    kind: 'candle',
    exchange: 'okx',
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
    volume: decimalOf(found[5], 'vol'),
    quoteVolume: optionalDecimalOf(found[7], 'volCcyQuote'),
    tradeCount: null,
    closed: confirm === '1',
  };
}

/** One currency of an `account` push. The first push holds all non-zero currencies, later ones only those that changed. */
export function readBalance(found: unknown, receivedAt: number): Balance {
  const balance: BalanceRecord = recordOf(found);
  const currency = textOf(balance.ccy, 'ccy');
  return {
    kind: 'balance',
    exchange: 'okx',
    symbol: currency,
    exchangeTime: timeOf(balance.uTime, 'uTime'),
    receivedAt,
    raw: found,
    currency,
    total: signedDecimalOf(balance.cashBal, 'cashBal'),
    available: optionalDecimalOf(balance.availBal, 'availBal'),
    frozen: optionalDecimalOf(balance.frozenBal, 'frozenBal'),
  };
}

/** Reads a stored payload back. @throws {AppError} FRAME_MALFORMED when it is not what was stored. */
export function readPayload(payload: unknown, route: Route, receivedAt: number): MarketEvent {
  switch (route.channel.dataType) {
    case DataType.TRADE:
      return readTrade(payload, route, receivedAt);
    case DataType.TICKER:
      return readTicker(payload, route, receivedAt);
    case DataType.CANDLE:
      return readCandle(payload, INTERVALS.get(route.channel.name) ?? '', route, receivedAt);
    case DataType.BALANCE:
      return readBalance(payload, receivedAt);
    case DataType.ORDERBOOK:
      return readStoredBook('okx', payload, route, receivedAt);
  }
}

/** The historic check of `books`: 25 levels a side, best first, interleaved, in the exchange's own digits; signed CRC-32. */
export function bookChecksum(bids: readonly BookLevel[], asks: readonly BookLevel[]): number {
  const parts: string[] = [];
  for (let depth = 0; depth < 25; depth += 1)
    for (const level of [bids[depth], asks[depth]]) if (level) parts.push(level[0], level[1]);
  return crc32(parts.join(':')) | 0;
}

/** A record of another instrument than its frame says belongs to nobody. */
function owned(instId: unknown, route: Route): void {
  if (instId !== undefined && instId !== route.channel.nativeSymbol)
    throw unfit('wrong-instrument', 'instId', `${route.channel.nativeSymbol}`, instId);
}

function fillCountOf(count: unknown): number {
  const fills = Number(idOf(count, 'count'));
  if (fills >= 1 && fills <= 1_000_000) return fills;
  throw unfit('bad-integer', 'count', 'from 1 to a million', count);
}

const optionalIntegerOf = (found: unknown, field: string): number | null =>
  found === undefined ? null : integerOf(found, field);

function refuseSide(side: unknown): never {
  throw unfit('bad-word', 'side', '"buy" or "sell"', side);
}
