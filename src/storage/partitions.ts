import type { Database } from './database.ts';

/** Makes the partitions of the months that touch `from`..`to` (ms, inclusive). Repeating and racing are safe. */
export function ensurePartitions(_db: Database, _from: number, _to: number): Promise<void> {
  throw new Error('to come');
}

/** What a retention run did. */
export interface Retention {
  /** Names of the dropped partitions. */
  readonly dropped: readonly string[];
  /** Set when more partitions than one month's would have fallen: the clock may have jumped, so none was dropped. */
  readonly refused: string | null;
}

/** Drops the partitions that end at or before `now - retentionMs`, whole. */
export function dropExpired(_db: Database, _retentionMs: number, _now: number): Promise<Retention> {
  throw new Error('to come');
}
