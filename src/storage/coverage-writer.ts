import { and, asc, eq } from 'drizzle-orm';
import type { CoverageEvidence, CoverageStatus, MarketStretch, Stretch } from '../market/coverage.ts';
import type { Connection } from './connections.ts';
import type { Database } from './database.ts';
import { instrument, refusedRow, coverage as table } from './tables.ts';

/** A stretch's place in the table, and what is to stand there; null: nothing. */
export interface CoverageRow {
  readonly instrumentId: number;
  readonly dataType: string;
  readonly first: bigint;
  readonly stretch: Stretch | null;
}

/** Puts the rows into the place of what stands there; call it inside a transaction. Repeating changes nothing. */
export async function replaceStretches(
  connection: Connection,
  writer: number,
  rows: readonly CoverageRow[],
  now: number,
): Promise<void> {
  await connection.query({
    name: 'remove stretches',
    text: `delete from tcp_dashboard.coverage c
      using unnest($2::int[], $3::text[], $4::numeric[]) as r (instrument_id, data_type, first)
      where c.writer = $1 and c.instrument_id = r.instrument_id and c.data_type = r.data_type and c.first = r.first`,
    values: [
      writer,
      rows.map(({ instrumentId }) => instrumentId),
      rows.map(({ dataType }) => dataType),
      rows.map(({ first }) => String(first)),
    ],
  });
  const put = rows.flatMap(({ stretch, ...place }) => (stretch ? [{ ...place, ...stretch }] : []));
  await connection.query({
    name: 'put stretches',
    text: `insert into tcp_dashboard.coverage (writer, instrument_id, data_type, first, last, status, evidence, from_time, to_time,
        actual, cause, gap, gap_found_at, updated_at)
      select $1, r.*, $2 from unnest($3::int[], $4::text[], $5::numeric[], $6::numeric[], $7::text[], $8::text[], $9::timestamptz[],
        $10::timestamptz[], $11::int8[], $12::text[], $13::numeric[], $14::timestamptz[]) as r`,
    values: [
      writer,
      iso(now),
      put.map(({ instrumentId }) => instrumentId),
      put.map(({ dataType }) => dataType),
      put.map(({ first }) => String(first)),
      put.map(({ last }) => String(last)),
      put.map(({ status }) => status),
      put.map(({ evidence }) => evidence),
      put.map(({ from }) => iso(from)),
      put.map(({ to }) => iso(to)),
      put.map(({ actual }) => actual),
      put.map(({ cause }) => cause),
      put.map(({ gap }) => (gap === null ? null : String(gap))),
      put.map(({ gapFoundAt }) => (gapFoundAt === null ? null : iso(gapFoundAt))),
    ],
  });
}

/** What a writer has said of the trades of every market, ascending within each. */
export async function loadTradeStretches(db: Database, writer: number): Promise<readonly MarketStretch[]> {
  const rows = await db.writers.run((handle) =>
    handle
      .select({ exchange: instrument.exchange, symbol: instrument.symbol, row: table })
      .from(table)
      .innerJoin(instrument, eq(instrument.id, table.instrumentId))
      .where(and(eq(table.writer, writer), eq(table.dataType, 'trade')))
      .orderBy(asc(table.instrumentId), asc(table.first)),
  );
  return rows.map(({ exchange, symbol, row }) => ({ exchange, symbol, ...toStretch(row) }));
}

export const toStretch = (row: typeof table.$inferSelect): Stretch => ({
  first: BigInt(row.first),
  last: BigInt(row.last),
  status: row.status as CoverageStatus,
  evidence: row.evidence as CoverageEvidence,
  from: row.fromTime.getTime(),
  to: row.toTime.getTime(),
  actual: row.actual,
  cause: row.cause,
  gap: row.gap === null ? null : BigInt(row.gap),
  gapFoundAt: row.gapFoundAt === null ? null : row.gapFoundAt.getTime(),
});

const iso = (time: number): string => new Date(time).toISOString();

/** Keeps a row the database would not take, as text. */
export async function quarantine(
  db: Database,
  refused: { readonly what: string; readonly reason: string; readonly row: string },
): Promise<void> {
  const text = (value: string) => value.replaceAll('\0', '\ufffd');
  const { what, reason, row } = refused;
  await db.writers.run((handle) =>
    handle
      .insert(refusedRow)
      .values({ at: new Date(db.now()), what: text(what), reason: text(reason), row: text(row) }),
  );
}
