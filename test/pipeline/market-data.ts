import { decimal } from '../../src/market/decimal.ts';
import type { Balance, ExchangeCandle, OrderBook, Ticker } from '../../src/market/market-event.ts';

const stamped = { exchange: 'okx', symbol: 'BTC-USDT', exchangeTime: 0, receivedAt: 0, raw: null };

export const aTicker = (fields: Partial<Ticker> = {}): Ticker => ({
  ...stamped,
  kind: 'ticker',
  last: decimal('30000.5'),
  lastSize: null,
  bid: null,
  bidSize: null,
  ask: null,
  askSize: null,
  open24h: null,
  high24h: null,
  low24h: null,
  volume24h: null,
  quoteVolume24h: null,
  ...fields,
});

export const aBook = (fields: Partial<OrderBook> = {}): OrderBook => ({
  ...stamped,
  kind: 'orderbook',
  bids: [[decimal('1'), decimal('2')]],
  asks: [[decimal('3'), decimal('4')]],
  sequence: 1,
  validity: 'VALID',
  chained: true,
  ...fields,
});

export const aCandle = (fields: Partial<ExchangeCandle> = {}): ExchangeCandle => ({
  ...stamped,
  kind: 'candle',
  interval: '1m',
  openTime: 0,
  closeTime: 60_000,
  open: decimal('1'),
  high: decimal('2'),
  low: decimal('1'),
  close: decimal('2'),
  volume: decimal('10'),
  quoteVolume: null,
  tradeCount: null,
  closed: true,
  ...fields,
});

export const aBalance = (fields: Partial<Balance> = {}): Balance => ({
  ...stamped,
  symbol: 'USDT',
  kind: 'balance',
  currency: 'USDT',
  total: decimal('100'),
  available: decimal('90'),
  frozen: decimal('10'),
  ...fields,
});
