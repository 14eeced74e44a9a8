import type { TradedWindow } from '../market/candle.ts';
import type { Windows } from '../market/candle-window.ts';
import type { Stretch } from '../market/coverage.ts';
import type { Clock } from '../runtime/clock.ts';
import type { CandleQuery, NearestTrade, NearestTradeQuery } from '../storage/candles.ts';
import type { StretchQuery } from '../storage/coverage.ts';
import type { LateQuery, RecordedRun } from '../storage/late-trades.ts';

/** Reads of storage. All may throw {AppError} DATABASE_UNAVAILABLE. */
export interface CandlePorts {
  readCandles(query: CandleQuery): Promise<readonly TradedWindow[]>;
  listStretches(query: StretchQuery): Promise<readonly Stretch[]>;
  /** The trade that is nearest to a time, in a direction; null when there is none. */
  nearestTrade(query: NearestTradeQuery): Promise<NearestTrade | null>;
  /** Where trades of a stretch begin or end that came after a time. */
  listRecordedRuns(query: LateQuery): Promise<readonly RecordedRun[]>;
  readonly clock: Clock;
}

/** What becomes of an interval without trades. */
export type EmptyIntervals = 'OMIT' | 'INCLUDE_NULL' | 'CARRY_FORWARD';

export interface CandlesRequest {
  readonly exchange: string;
  readonly symbol: string;
  readonly windows: Windows;
  /** Candles whose end lies in (from, to], ms. */
  readonly from: number;
  readonly to: number;
  /** Also the one that is open at `to`. */
  readonly includeForming: boolean;
  readonly endInclusive: boolean;
  readonly emptyIntervals: EmptyIntervals;
  /** As it was known then, ms; null: as it is known now. */
  readonly asOf: number | null;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** Ends of candles, exclusive, in the asked order. */
  readonly after: number | null;
  readonly before: number | null;
  readonly fromEnd: boolean;
}
