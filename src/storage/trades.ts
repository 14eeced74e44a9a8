import type { Side } from '../market/market-event.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { Database } from './database.ts';

/** Where a trade stands in the order of its instrument: by exchange time, then by id as a number. */
export interface TradeKey {
  /** ms since the Unix epoch. */
  readonly exchangeTime: number;
  readonly tradeId: string;
}

export interface TradeQuery {
  readonly exchange: string;
  readonly symbol: string;
  /** Inclusive. */
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
  readonly side: Side | null;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** Exclusive; "after" and "before" are meant in the asked order. */
  readonly after: TradeKey | null;
  readonly before: TradeKey | null;
  /** The last `limit` of the range instead of the first, still in the asked order. */
  readonly fromEnd: boolean;
}

/** `trade.raw` is null unless the payload was stored. */
export interface StoredTrade extends RecordedTrade {}

/** Per writer, the last sequence seen. */
export type Position = ReadonlyMap<number, bigint>;

/** One page; `hasMore` tells whether the range holds more in the direction that was read. Unknown instruments have no trades. */
export function listTrades(
  _db: Database,
  _query: TradeQuery,
): Promise<{ readonly trades: readonly StoredTrade[]; readonly hasMore: boolean }> {
  throw new Error('to come');
}

export function findTrade(
  _db: Database,
  _exchange: string,
  _symbol: string,
  _key: TradeKey,
): Promise<StoredTrade | null> {
  throw new Error('to come');
}

/**
 * The next trades after a position, in sequence order per writer. `position` moves also over trades the filter left out;
 * `done` when it reached what was committed at the time of the call.
 */
export function tradesAfter(
  _db: Database,
  _position: Position,
  _filter: { readonly exchange: string | null; readonly symbols: readonly string[] | null },
  _limit: number,
): Promise<{ readonly trades: readonly StoredTrade[]; readonly position: Position; readonly done: boolean }> {
  throw new Error('to come');
}

/** The last committed sequence of every writer. */
export function currentPosition(_db: Database): Promise<Position> {
  throw new Error('to come');
}
