import type { DataType } from '../market/data-type.ts';
import type { MarketEvent } from '../market/market-event.ts';
import type { Database } from './database.ts';

/** One stored ticker, order book, candle or balance. */
export interface MarketDataRow {
  readonly id: bigint;
  readonly exchange: string;
  readonly symbol: string;
  readonly dataType: DataType;
  /** Exchange time. */
  readonly timestamp: Date;
  /** The payload of `payloadOf`. */
  readonly data: unknown;
  readonly createdAt: Date;
}

/** Where a row stands in the order of its instrument and data type. */
export interface MarketDataKey {
  /** ms since the Unix epoch. */
  readonly timestamp: number;
  readonly id: bigint;
}

export interface MarketDataQuery {
  readonly exchange: string;
  readonly symbol: string;
  readonly dataType: DataType;
  /** Inclusive. */
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** Exclusive; "after" and "before" are meant in the asked order. */
  readonly after: MarketDataKey | null;
  readonly before: MarketDataKey | null;
  /** The last `limit` of the range instead of the first, still in the asked order. */
  readonly fromEnd: boolean;
}

/** Stores the events and returns how many. Repeating stores them again: these are samples, not a ledger. */
export function insertMarketData(_db: Database, _events: readonly MarketEvent[]): Promise<number> {
  throw new Error('to come');
}

/** One page, ordered by time and id. */
export function listMarketData(
  _db: Database,
  _query: MarketDataQuery,
): Promise<{ readonly rows: readonly MarketDataRow[]; readonly hasMore: boolean }> {
  throw new Error('to come');
}

/** The newest balance of every currency, by currency. */
export function latestBalances(_db: Database, _exchange: string): Promise<readonly MarketDataRow[]> {
  throw new Error('to come');
}
