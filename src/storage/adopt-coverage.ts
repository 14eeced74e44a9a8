import type { CoverageEvidence, CoverageStatus, Stretch } from '../market/coverage.ts';
import { mergeStretches } from '../market/merge-stretches.ts';
import { replaceStretches } from './coverage-writer.ts';
import type { Database } from './database.ts';
import { LOCK_SPACE } from './migrate.ts';
import type { WriterSlot } from './writer-slot.ts';

/**
 * Takes over what writers that are gone have said, so that their gaps are filled and the next trade tells what was missed since:
 * their spool may be lost, and with it whoever would go on with their books. One that comes back begins with what its spool holds.
 * Returns how many writers' books were taken over.
 */
export function adoptCoverage(db: Database, { connection, id }: WriterSlot, now: number): Promise<number> {
  return connection.transaction(async () => {
    // Whoever lives holds the lock; we hold it until the books are ours.
    const gone = await connection.query<{ id: number }>({
      text: `select id from (select distinct writer as id from tcp_dashboard.coverage where writer <> all($2::int[]) offset 0) w
        where pg_try_advisory_xact_lock($1, id)`,
      values: [LOCK_SPACE, [id, ...db.heldSlots]],
    });
    if (gone.length === 0) return 0;
    const writers = [id, ...gone.map((writer) => writer.id)];
    const rows = await connection.query<Row>({
      text: `delete from tcp_dashboard.coverage c using (
          select distinct instrument_id, data_type from tcp_dashboard.coverage where writer = any($2::int[]) and writer <> $1) s
        where c.writer = any($2::int[]) and c.instrument_id = s.instrument_id and c.data_type = s.data_type
        returning c.writer, c.instrument_id, c.data_type, c.first::text as first, c.last::text as last, c.status, c.evidence,
          c.from_time, c.to_time, c.actual::float8 as actual, c.cause, c.gap::text as gap, c.gap_found_at`,
      values: [id, writers],
    });
    const streams = Map.groupBy(rows, ({ instrument_id, data_type }) => `${instrument_id} ${data_type}`);
    const merged = [...streams.values()].flatMap((stream) => {
      const [{ instrument_id: instrumentId, data_type: dataType }] = stream as [Row, ...Row[]];
      return mergeStretches(booksOf(stream)).map((stretch) => ({
        instrumentId,
        dataType,
        first: stretch.first,
        stretch,
      }));
    });
    await replaceStretches(connection, id, merged, now);
    return gone.length;
  });
}

interface Row {
  readonly writer: number;
  readonly instrument_id: number;
  readonly data_type: string;
  readonly first: string;
  readonly last: string;
  readonly status: CoverageStatus;
  readonly evidence: CoverageEvidence;
  readonly from_time: Date;
  readonly to_time: Date;
  readonly actual: number;
  readonly cause: string | null;
  readonly gap: string | null;
  readonly gap_found_at: Date | null;
}

/** What each writer said of one stream, ascending. */
const booksOf = (rows: readonly Row[]): readonly (readonly Stretch[])[] =>
  [...Map.groupBy(rows, ({ writer }) => writer).values()].map((own) =>
    own.map(toStretch).sort((a, b) => (a.first < b.first ? -1 : 1)),
  );

const toStretch = (row: Row): Stretch => ({
  ...{ first: BigInt(row.first), last: BigInt(row.last), status: row.status, evidence: row.evidence },
  ...{ from: row.from_time.getTime(), to: row.to_time.getTime(), actual: row.actual, cause: row.cause },
  ...{ gap: row.gap === null ? null : BigInt(row.gap), gapFoundAt: row.gap_found_at?.getTime() ?? null },
});
