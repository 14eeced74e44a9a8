import { desc, eq, ne, sql } from 'drizzle-orm';
import type { StreamKey, StreamTail, Stretch } from '../market/coverage.ts';
import { type DataType, isDataType } from '../market/data-type.ts';
import type { Handle } from './connections.ts';
import { toStretch } from './coverage-writer.ts';
import type { Database } from './database.ts';
import { instrument, coverage as table } from './tables.ts';

/** What one writer says of streams without ids, to be stored with the data it is about. */
export interface StreamBooks {
  readonly writer: number;
  readonly tails: readonly StreamTail[];
}

/** A stretch of a stream, and which stream that is. */
export interface StreamStretch extends StreamKey {
  readonly stretch: Stretch;
}

/** A tail, and the instrument its rows are of. */
export interface PlacedTail extends StreamTail {
  readonly instrumentId: number;
}

/**
 * From each tail's time on the writer's books say what the tail says; the row of a stretch that grew is changed in its place. Call it
 * inside a transaction. Repeating changes nothing, and a database that lost its newest rows is put right as far as the tail goes.
 */
export async function replaceTails(
  handle: Handle,
  writer: number,
  tails: readonly PlacedTail[],
  now: number,
): Promise<void> {
  if (tails.length === 0) return;
  const rows = tails.flatMap(({ instrumentId, dataType, stretches }) =>
    stretches.map((stretch) => ({ instrumentId, dataType, ...stretch })),
  );
  const begins = sql`unnest(${sql.param(tails.map(({ instrumentId }) => instrumentId))}::int[],
    ${sql.param(tails.map(({ dataType }) => dataType))}::text[],
    ${sql.param(tails.map(({ from }) => String(from)))}::numeric[]) as t (instrument_id, data_type, first)`;
  const places = sql`unnest(${sql.param(rows.map(({ instrumentId }) => instrumentId))}::int[],
    ${sql.param(rows.map(({ dataType }) => dataType))}::text[],
    ${sql.param(rows.map(({ first }) => String(first)))}::numeric[]) as p (instrument_id, data_type, first)`;
  const isTails = sql`c.writer = ${writer} and c.instrument_id = t.instrument_id and c.data_type = t.data_type`;
  await handle.execute(sql`delete from tcp_dashboard.coverage c using ${begins}
    where ${isTails} and c.first >= t.first and not exists (select from ${places}
      where p.instrument_id = c.instrument_id and p.data_type = c.data_type and p.first = c.first)`);
  await handle.execute(sql`update tcp_dashboard.coverage c
    set last = t.first - 1, to_time = 'epoch'::timestamptz + (t.first - 1)::float8 * interval '1 millisecond'
    from ${begins} where ${isTails} and c.first < t.first and c.last >= t.first`);
  await handle.execute(sql`insert into tcp_dashboard.coverage as c (writer, instrument_id, data_type, first, last, status, evidence,
      from_time, to_time, actual, cause, gap, gap_found_at, updated_at)
    select ${writer}, r.*, ${iso(now)}::timestamptz from unnest(
      ${sql.param(rows.map(({ instrumentId }) => instrumentId))}::int[], ${sql.param(rows.map(({ dataType }) => dataType))}::text[],
      ${sql.param(rows.map(({ first }) => String(first)))}::numeric[], ${sql.param(rows.map(({ last }) => String(last)))}::numeric[],
      ${sql.param(rows.map(({ status }) => status))}::text[], ${sql.param(rows.map(({ evidence }) => evidence))}::text[],
      ${sql.param(rows.map(({ from }) => iso(from)))}::timestamptz[], ${sql.param(rows.map(({ to }) => iso(to)))}::timestamptz[],
      ${sql.param(rows.map(({ actual }) => actual))}::int8[], ${sql.param(rows.map(({ cause }) => cause))}::text[],
      ${sql.param(rows.map(({ gap }) => (gap === null ? null : String(gap))))}::numeric[],
      ${sql.param(rows.map(({ gapFoundAt }) => (gapFoundAt === null ? null : iso(gapFoundAt))))}::timestamptz[]
    ) as r (instrument_id, data_type, first, last, status, evidence, from_time, to_time, actual, cause, gap, gap_found_at)
    order by r.instrument_id, r.data_type, r.first
    on conflict (writer, instrument_id, data_type, first) do update set last = excluded.last, status = excluded.status,
      evidence = excluded.evidence, from_time = excluded.from_time, to_time = excluded.to_time, actual = excluded.actual,
      cause = excluded.cause, gap = excluded.gap, gap_found_at = excluded.gap_found_at, updated_at = excluded.updated_at`);
}

/** The newest thing any writer has said of each stream without ids: whoever comes next goes on from there. */
export async function loadStreamEnds(db: Database): Promise<readonly StreamStretch[]> {
  const rows = await db.writers.run((handle) =>
    handle
      .selectDistinctOn([table.instrumentId, table.dataType], {
        exchange: instrument.exchange,
        symbol: instrument.symbol,
        row: table,
      })
      .from(table)
      .innerJoin(instrument, eq(instrument.id, table.instrumentId))
      .where(ne(table.dataType, 'trade' satisfies DataType))
      .orderBy(table.instrumentId, table.dataType, desc(table.last)),
  );
  return rows.flatMap(({ exchange, symbol, row }) =>
    isDataType(row.dataType) ? [{ exchange, symbol, dataType: row.dataType, stretch: toStretch(row) }] : [],
  );
}

const iso = (time: number): string => new Date(time).toISOString();
