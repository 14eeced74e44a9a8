import { sql } from 'drizzle-orm';
import type { IdRange } from '../market/coverage.ts';
import type { Database } from './database.ts';
import { instrumentIdOf } from './instruments.ts';

export interface LateQuery extends IdRange {
  readonly exchange: string;
  readonly symbol: string;
  /** Exchange times of the first and the last of these ids, ms. */
  readonly from: number;
  readonly to: number;
  readonly asOf: number;
}

/** Trades that follow each other and were all recorded by a time, or all later. */
export interface RecordedRun extends IdRange {
  readonly isLate: boolean;
  /** Exchange times of its first and its last trade, ms. */
  readonly from: number;
  readonly to: number;
  /** Fills. */
  readonly actual: number;
}

/** A stretch of ids of which every trade is here, cut where those begin or end that were recorded after a time; ascending. */
export async function listRecordedRuns(db: Database, query: LateQuery): Promise<readonly RecordedRun[]> {
  const { first, last, from, to, asOf } = query;
  const rows = await db.readers.run(async (handle) => {
    const instrumentId = await instrumentIdOf(handle, query.exchange, query.symbol);
    if (instrumentId === null) return [];
    return handle.execute<{ is_late: boolean; first: string; last: string; from: number; to: number; actual: number }>(
      sql`select is_late, min(id - fill_count + 1)::text as first, max(id)::text as last, sum(fill_count)::float8 as actual,
          (extract(epoch from min(ts)) * 1000)::float8 as from, (extract(epoch from max(ts)) * 1000)::float8 as to
        from (select *, row_number() over (order by id) - row_number() over (partition by is_late order by id) as run
          from (select trade_id::numeric as id, fill_count, ts, recorded_at > ${iso(asOf)}::timestamptz as is_late
            from tcp_dashboard.trade where instrument_id = ${instrumentId}
              and ts >= ${iso(from)}::timestamptz and ts <= ${iso(to)}::timestamptz) t
          where id between ${String(first)}::numeric and ${String(last)}::numeric) r
        group by is_late, run order by min(id)`,
      'objects',
    );
  });
  return rows.map(({ is_late: isLate, ...run }) => ({
    ...run,
    ...{ isLate, first: BigInt(run.first), last: BigInt(run.last) },
  }));
}

const iso = (time: number): string => new Date(time).toISOString();
