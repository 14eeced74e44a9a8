import type { Trade } from './market-event.ts';

/** How a trade came to us. */
export type Provenance = 'LIVE' | 'BACKFILL' | 'RECONCILED';

/** A trade with its place in the log of the writer that recorded it. Sequences of one writer are dense and commit in order. */
export interface RecordedTrade {
  readonly trade: Trade;
  readonly writer: number;
  readonly sequence: bigint;
  readonly recordedAt: number;
  readonly provenance: Provenance;
}
