import type { Trade } from '../market/market-event.ts';
import type { Provenance, RecordedTrade } from '../market/recorded-trade.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Database } from './database.ts';

export interface TradeToRecord {
  readonly trade: Trade;
  readonly provenance: Provenance;
  /** Keep the exchange's own payload beside the columns. */
  readonly storeRaw: boolean;
}

/** The one way trades enter the database. Its sequences are dense and commit in order. */
export interface TradeWriter extends AsyncDisposable {
  /** The slot it holds now; changes only after the slot was lost to another server. */
  readonly writer: number;
  /** The last committed sequence. */
  readonly position: bigint;
  /**
   * Records a batch in one transaction and returns those that were new, in sequence order. Safe to repeat with the same
   * batch after any failure: what an unknown commit stored is returned by the repetition, nothing is stored twice.
   * @throws {AppError} DATABASE_UNAVAILABLE; DATA_POINT_INVALID for a time no partition can be made for.
   */
  write(batch: readonly TradeToRecord[]): Promise<readonly RecordedTrade[]>;
}

/** Claims the lowest free writer slot on a connection of its own. */
export function openTradeWriter(_db: Database, _clock: Clock, _log: Log): Promise<TradeWriter> {
  throw new Error('to come');
}
