import { asc, eq, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { collector } from './tables.ts';

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

/** Inserts or replaces by name, all or none. Repeating changes nothing. */
export async function saveCollectors(db: Database, collectors: readonly StoredCollector[]): Promise<void> {
  if (collectors.length === 0) return;
  const newest = new Map(collectors.map((one) => [one.name, one]));
  const rows = [...newest.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)); // one order of locks for all servers
  await db.writers.run((handle) =>
    handle
      .insert(collector)
      .values(rows)
      .onConflictDoUpdate({
        target: collector.name,
        set: {
          exchange: sql`excluded.exchange`,
          symbol: sql`excluded.symbol`,
          config: sql`excluded.config`,
          status: sql`excluded.status`,
          shouldBeRunning: sql`excluded.should_be_running`,
          health: sql`excluded.health`,
          statistics: sql`excluded.statistics`,
          updatedAt: sql`excluded.updated_at`,
        },
      }),
  );
}

/** By name. */
export const loadCollectors = (db: Database): Promise<readonly StoredCollector[]> =>
  db.readers.run((handle) => handle.select().from(collector).orderBy(asc(collector.name)));

/** Repeating changes nothing. */
export async function removeCollector(db: Database, name: string): Promise<void> {
  await db.writers.run((handle) => handle.delete(collector).where(eq(collector.name, name)));
}
