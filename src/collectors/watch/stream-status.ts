import type { DataType } from '../../market/data-type.ts';

/** LIVE: data comes. QUIET: none, and none is known to be missing. STALLED: some is missing, or none came for longer than allowed. */
export type StreamHealth = 'LIVE' | 'QUIET' | 'STALLED' | 'RECONNECTING' | 'BACKFILLING' | 'STOPPED';

/** One data type of a collector, the unit of health. */
export interface StreamStatus {
  readonly dataType: DataType;
  readonly health: StreamHealth;
  /** In words, e.g. "12 trades a minute, the last 0.4 s ago". */
  readonly reason: string;
  readonly lastMessageAt: Date | null;
  /** Over the last ten seconds. */
  readonly messagesPerSecond: number;
  /** receivedAt - exchangeTime of the last event in ms; null before the first or where the exchange stamps no time. */
  readonly lagMs: number | null;
  /** 0 here: the ledger counts them, and the API asks it. */
  readonly openGaps: number;
}
