import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { ClientBase } from 'pg';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

/** How and where the trades are kept. Times are in ms. */
export interface DatabaseOptions {
  /** A `postgres://` URL; null for the embedded database in `dataDir`. */
  readonly url: string | null;
  /** Used only when `url` is null; made (mode 0700) when absent. */
  readonly dataDir: string;
  /** Connections kept open while idle. */
  readonly poolSize: number;
  /** Connections above `poolSize` under load. */
  readonly maxOverflow: number;
  /** Longest wait for a free connection. */
  readonly poolTimeoutMs: number;
  /** Age at which a connection is replaced. */
  readonly poolRecycleMs: number;
  readonly tables: TableNames;
  readonly log: Log;
  readonly clock: Clock;
}

/** The names of the three public relations; plain lower-case SQL identifiers. */
export interface TableNames {
  readonly marketData: string;
  readonly rawTrades: string;
  readonly collectorStatus: string;
}

/** What a query function works with: Drizzle over the connection or pool it was given. */
export type Handle = NodePgDatabase & { readonly $client: ClientBase };

export interface Database extends AsyncDisposable {
  readonly kind: 'embedded' | 'postgres';
  /** Postgres' own version, e.g. "18.6". */
  readonly serverVersion: string;
  /** @throws {AppError} DATABASE_UNAVAILABLE within 3 s when the database does not answer. */
  ping(): Promise<void>;
}

/**
 * Opens, locks (embedded), migrates, makes the views and creates partitions ahead.
 * @throws {AppError} DATA_DIR_IN_USE, DATABASE_TOO_OLD, DATABASE_UNAVAILABLE, CONFIG_INVALID for an unusable URL or table name.
 */
export function openDatabase(_options: DatabaseOptions): Promise<Database> {
  throw new Error('to come');
}
