import type { Delivery } from './delivery.ts';
import type { RecordedTrade } from './live-trades.ts';
import type { Notice } from './notice.ts';
import type { Position } from './position.ts';
import type { Stream } from './stream.ts';
import type { TradeFilter } from './trade-filter.ts';

/** REPLAY: stored trades follow. LIVE: with this batch everything up to now has been delivered. */
export type StreamPhase = 'REPLAY' | 'LIVE';

export interface TradeBatch {
  /** In commit order; at most 1,000, but for CONFLATE (one an instrument). May be empty: the position has moved, or a notice is due. */
  readonly trades: readonly RecordedTrade[];
  /** Where the client stood before the first of `trades`; `edgePositions` (cursor.ts) walks from here. */
  readonly before: Position;
  /** Where it stands after this batch: resume here and nothing is lost or repeated. */
  readonly position: Position;
  readonly phase: StreamPhase;
  readonly notices: readonly Notice[];
  /** Matching trades left out because a newer one of the same instrument is here; 0 unless CONFLATE. */
  readonly conflated: number;
}

export interface TradeRequest {
  readonly filter: TradeFilter;
  /** Null: from now on. */
  readonly after: Position | null;
  readonly delivery: Delivery;
}

/** Every recorded trade, in commit order, to any number of subscribers. */
export interface TradeFeed {
  /** The newest trade's position. */
  readonly position: Position;
  readonly subscribers: number;
  /** @throws {AppError} from next(): DATABASE_UNAVAILABLE when what is missing cannot be read from storage. */
  subscribe(request: TradeRequest): Stream<TradeBatch>;
}
