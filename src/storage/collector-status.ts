import type { Database } from './database.ts';

/** A collector as it survives a restart: what it is, whether it should run, and how it last was. */
export interface StoredCollector {
  readonly name: string;
  readonly exchange: string;
  readonly symbol: string;
  /** JSON of its ExchangeCollectorConfig. */
  readonly config: unknown;
  readonly status: string;
  readonly shouldBeRunning: boolean;
  readonly health: unknown;
  readonly statistics: unknown;
  readonly updatedAt: Date;
}

/** Inserts or replaces by name. Repeating changes nothing. */
export function saveCollectors(_db: Database, _collectors: readonly StoredCollector[]): Promise<void> {
  throw new Error('to come');
}

/** By name. */
export function loadCollectors(_db: Database): Promise<readonly StoredCollector[]> {
  throw new Error('to come');
}

/** Repeating changes nothing. */
export function removeCollector(_db: Database, _name: string): Promise<void> {
  throw new Error('to come');
}
