import { AppError } from '../runtime/errors.ts';
import { type DataType, isDataType } from './data-type.ts';
import type { MarketEvent } from './market-event.ts';

/** What data callbacks receive: the standard shape of one piece of market data. */
export interface MarketDataPoint {
  /** Exchange id, e.g. "okx". */
  readonly exchange: string;
  /** Canonical symbol, e.g. "BTC-USDT". */
  readonly symbol: string;
  /** Exchange time, UTC. */
  readonly timestamp: Date;
  readonly dataType: DataType;
  /** The exchange's own payload; for an assembled order book `{ bids, asks, sequence, validity }`. */
  readonly data: unknown;
}

/** @throws {AppError} DATA_POINT_INVALID naming the missing or wrong field. */
export function validateMarketDataPoint(point: unknown): asserts point is MarketDataPoint {
  if (typeof point !== 'object' || point === null) throw invalid('a data point is an object');
  const fields = point as Partial<Record<keyof MarketDataPoint, unknown>>;
  for (const name of ['exchange', 'symbol', 'timestamp', 'dataType', 'data'] as const)
    if (fields[name] === undefined || fields[name] === null) throw invalid(`Missing required field: ${name}`);
  for (const name of ['exchange', 'symbol'] as const)
    if (typeof fields[name] !== 'string' || fields[name] === '') throw invalid(`${name} should be a non-empty string`);
  if (!(fields.timestamp instanceof Date) || Number.isNaN(fields.timestamp.getTime()))
    throw invalid('timestamp should be a valid Date');
  if (!isDataType(fields.dataType))
    throw invalid('dataType should be one of ticker, trade, orderbook, candle, balance');
  if (typeof fields.data !== 'object') throw invalid('data should be an object');
}

const invalid = (message: string) => new AppError('DATA_POINT_INVALID', message);

/** The stored and published payload: the exchange's own, or for an order book the assembled one. */
export const payloadOf = (event: MarketEvent): unknown =>
  event.kind === 'orderbook'
    ? { bids: event.bids, asks: event.asks, sequence: event.sequence, validity: event.validity }
    : event.raw;

export const toDataPoint = (event: MarketEvent): MarketDataPoint => ({
  exchange: event.exchange,
  symbol: event.symbol,
  timestamp: new Date(event.exchangeTime),
  dataType: event.kind,
  data: payloadOf(event),
});
