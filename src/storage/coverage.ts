import { type SQL, sql } from 'drizzle-orm';
import type { CoverageEvidence, CoverageStatus, StreamKey, Stretch } from '../market/coverage.ts';
import { sizeOf } from '../market/coverage.ts';
import type { DataType } from '../market/data-type.ts';
import type { Gap } from '../market/gap-ledger.ts';
import { type DroppedRange, mergeStretches, withoutDropped } from '../market/merge-stretches.ts';
import { toInstant } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import type { Handle } from './connections.ts';
import type { Database } from './database.ts';
import { instrumentIdIn, instrumentIdOf } from './instruments.ts';
import { placesFor, prepared } from './prepared.ts';

export interface StretchQuery extends StreamKey {
  /** Inclusive, by exchange time. */
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

/** A gap and the writer in whose books it stands. */
export interface StoredGap extends Gap {
  readonly writer: number;
}

/** Where a gap stands in the list: the newest found first. */
export type GapKey = Pick<StoredGap, 'foundAt' | 'exchange' | 'symbol' | 'dataType' | 'first' | 'writer'>;

export interface GapQuery {
  readonly exchange: string | null;
  readonly symbol: string | null;
  readonly dataType: DataType | null;
  /** Null for all. */
  readonly statuses: readonly CoverageStatus[] | null;
  readonly limit: number;
  /** Exclusive. */
  readonly after: GapKey | null;
}

/** How much of a stream of trades is here. */
export interface CoverageTotals {
  /** Fills the exchange is known to have made in what was collected; of what proves nothing, those that are here. */
  readonly expected: bigint;
  /** Those of them that are here. */
  readonly stored: bigint;
}

/**
 * What is known of a stream in [from, to): the stretches that touch it and the nearest one on either side, of all writers,
 * ascending and apart. An unknown instrument has none.
 * @throws {AppError} BAD_USER_INPUT when a writer has more than `most` there: part of them would pass for the whole.
 */
export async function listStretches(db: Database, query: StretchQuery, most = 10_000): Promise<readonly Stretch[]> {
  const asked = askedOf(query, most);
  const [found, dropped] = await Promise.all([
    db.readers.query<StretchRow>(NEAR.with(asked)),
    db.readers.query<DroppedRow>(DROPPED.with(asked)),
  ]);
  return whole(found, dropped.map(toDropped), most);
}

/** As `listStretches`, on one connection of the caller's. */
export async function readStretches(handle: Handle, query: StretchQuery, most: number): Promise<readonly Stretch[]> {
  const found = await handle.execute<StretchRow>(near(askedOf(query, most)), 'objects');
  const dropped = await selectDropped(handle, instrumentIdIn(query.exchange, query.symbol), query.dataType);
  return whole(found, dropped, most);
}

/** What a read of stretches depends on, by name: values, or places for them. */
type Asked = Record<'exchange' | 'symbol' | 'dataType' | 'from' | 'to' | 'rows', unknown>;

const askedOf = ({ exchange, symbol, dataType, from, to }: StretchQuery, most: number): Asked => ({
  ...{ exchange, symbol, dataType, rows: most + 1 },
  ...{ from: toInstant(from.getTime()), to: toInstant(to.getTime()) },
});

function near({ exchange, symbol, dataType, from, to, rows }: Asked): SQL {
  const own = sql`select * from tcp_dashboard.coverage where writer = w.id
    and instrument_id = ${instrumentIdIn(exchange, symbol)} and data_type = ${dataType}`;
  return stretchesOf(
    sql`cross join lateral (
      (${own} and from_time <= ${to}::timestamptz and to_time >= ${from}::timestamptz order by first limit ${rows}::int8)
      union all (${own} and to_time < ${from}::timestamptz order by first desc limit 1)
      union all (${own} and from_time > ${to}::timestamptz order by first limit 1)) c`,
  );
}

function whole(found: readonly StretchRow[], dropped: readonly DroppedRange[], most: number): readonly Stretch[] {
  if (found.length <= most) return withoutDropped(merged(found), dropped);
  throw new AppError(
    'BAD_USER_INPUT',
    `The range holds more than ${most} stretches of different coverage; ask for less at a time`,
  );
}

/** What a stretch of ids stands for; of time nobody knows how much was missed in it. */
const THINGS = sql`case when c.data_type = 'trade' then c.last - c.first + 1 else 0 end`;

/** One page of gaps, newest found first, whatever became of them. Of several writers that have one in their books the one that lacks least tells of it. */
export async function listGaps(
  db: Database,
  { exchange, symbol, dataType, statuses, limit, after }: GapQuery,
): Promise<{ readonly gaps: readonly StoredGap[]; readonly hasMore: boolean }> {
  const narrow = sql.join(
    [
      sql`c.gap is not null`,
      ...(exchange === null ? [] : [sql`i.exchange = ${exchange}`]),
      ...(symbol === null ? [] : [sql`i.symbol = ${symbol}`]),
      ...(dataType === null ? [] : [sql`c.data_type = ${dataType}`]),
    ],
    sql` and `,
  );
  const page = sql.join(
    [
      sql`true`,
      ...(statuses === null ? [] : [sql`status = any(${sql.param([...statuses])}::text[])`]),
      ...(after === null ? [] : [beyond(after)]),
    ],
    sql` and `,
  );
  const rows = await db.readers.run((handle) =>
    handle.execute<GapRow>(
      sql`select * from (
        select distinct on (exchange, symbol, data_type, gap) g.*,
          min(own_found_at) over (partition by exchange, symbol, data_type, gap) as found_at from (
        select c.writer, i.exchange, i.symbol, c.data_type, c.gap::text as gap, max(c.last)::text as last,
          ${ms(sql`max(c.gap_found_at)`)} as own_found_at, ${ms(sql`min(c.from_time)`)} as from_time, ${ms(sql`max(c.to_time)`)} as to_time,
          coalesce(max(c.cause) filter (where c.status = 'GAP'), max(c.cause)) as cause,
          coalesce(sum(${THINGS}), 0)::text as expected,
          coalesce(sum(${THINGS}) filter (where c.status not in ('GAP', 'UNFILLABLE')), 0)::text as filled,
          coalesce(sum(${THINGS}) filter (where c.status = 'UNFILLABLE'), 0)::text as unfillable,
          count(*) filter (where c.status = 'GAP') as open_parts, count(*) filter (where c.status = 'UNFILLABLE') as lost_parts,
          case when bool_or(c.status = 'GAP') then 'GAP' when bool_or(c.status = 'UNFILLABLE') then 'UNFILLABLE' else 'BACKFILLED' end
            as status
        from tcp_dashboard.coverage c join tcp_dashboard.instrument i on i.id = c.instrument_id
        where ${narrow} group by c.writer, i.exchange, i.symbol, c.data_type, c.gap) g
        order by exchange, symbol, data_type, gap, open_parts > 0, lost_parts > 0, writer) d
      where ${page}
      order by found_at desc, exchange, symbol, data_type collate "C", gap::numeric, writer limit ${limit + 1}`,
      'objects',
    ),
  );
  return { gaps: rows.slice(0, limit).map(toGap), hasMore: rows.length > limit };
}

/** A gap by its name; null when there is none. */
export async function findGap(
  db: Database,
  key: Pick<GapKey, 'exchange' | 'symbol' | 'dataType' | 'first' | 'foundAt'>,
): Promise<StoredGap | null> {
  const place = { ...key, writer: -1 };
  const { exchange, symbol, dataType, first, foundAt } = key;
  const { gaps } = await listGaps(db, { exchange, symbol, dataType, statuses: null, limit: 1, after: place });
  return gaps.find((gap) => gap.first === first && gap.foundAt === foundAt) ?? null;
}

/** How much of the trades of a market is here; null when nothing is known of them. */
export async function coverageTotals(db: Database, exchange: string, symbol: string): Promise<CoverageTotals | null> {
  const found = await db.readers.run(async (handle) => {
    const instrumentId = await instrumentIdOf(handle, exchange, symbol);
    if (instrumentId === null) return [];
    const stream = sql`join tcp_dashboard.coverage c
      on c.writer = w.id and c.instrument_id = ${instrumentId} and c.data_type = 'trade'`;
    const sums = await handle.execute<{ readonly expected: string; readonly stored: string }>(
      sql`select sum(case when c.status = 'UNPROVEN' then c.actual else c.last - c.first + 1 end)::text as expected,
        sum(c.actual)::text as stored from tcp_dashboard.writer w ${stream} group by w.id`,
      'objects',
    );
    const dropped = await selectDropped(handle, sql`${instrumentId}`, 'trade');
    if (sums.length < 2 && dropped.length === 0)
      return sums.map(({ expected, stored }) => ({ expected: BigInt(expected), stored: BigInt(stored) }));
    const stretches = withoutDropped(merged(await handle.execute<StretchRow>(stretchesOf(stream), 'objects')), dropped);
    return [stretches.reduce(count, { expected: 0n, stored: 0n })];
  });
  return found[0] ?? null;
}

const count = ({ expected, stored }: CoverageTotals, stretch: Stretch): CoverageTotals => {
  const actual = BigInt(stretch.actual);
  return {
    expected: expected + (stretch.status === 'UNPROVEN' ? actual : sizeOf(stretch)),
    stored: stored + actual,
  };
};

interface StretchRow extends Record<string, unknown> {
  readonly writer: number;
  readonly first: string;
  readonly last: string;
  readonly status: string;
  readonly evidence: string;
  readonly from_time: number;
  readonly to_time: number;
  readonly actual: number;
  readonly cause: string | null;
  readonly gap: string | null;
  readonly gap_found_at: number | null;
}

interface DroppedRow extends Record<string, unknown> {
  readonly first: string;
  readonly last: string;
  readonly from_time: number;
  readonly to_time: number;
}

interface GapRow extends Record<string, unknown> {
  readonly writer: number;
  readonly exchange: string;
  readonly symbol: string;
  readonly data_type: string;
  readonly gap: string;
  readonly last: string;
  readonly found_at: number;
  readonly from_time: number;
  readonly to_time: number;
  readonly cause: string | null;
  readonly expected: string;
  readonly filled: string;
  readonly unfillable: string;
  readonly status: Gap['status'];
}

/** Whole milliseconds since the Unix epoch, as a number. */
const ms = (time: SQL) => sql`(extract(epoch from ${time}) * 1000)::float8`;

/** Rows of `c`, which `from` joins to the writers `w`: so every writer's stretches come from its own part of the key. */
const stretchesOf = (from: SQL): SQL =>
  sql`select c.writer, c.first::text as first, c.last::text as last, c.status, c.evidence, ${ms(sql`c.from_time`)} as from_time,
        ${ms(sql`c.to_time`)} as to_time, c.actual::float8 as actual, c.cause, c.gap::text as gap, ${ms(sql`c.gap_found_at`)} as gap_found_at
      from tcp_dashboard.writer w ${from} order by c.writer, c.first`;

/** What retention took of a stream, ascending. */
export async function selectDropped(
  handle: Handle,
  instrumentId: SQL,
  dataType: DataType,
): Promise<readonly DroppedRange[]> {
  return (await handle.execute<DroppedRow>(droppedOf(instrumentId, dataType), 'objects')).map(toDropped);
}

const droppedOf = (instrumentId: SQL, dataType: unknown): SQL =>
  sql`select first::text as first, last::text as last, ${ms(sql`from_time`)} as from_time, ${ms(sql`to_time`)} as to_time
    from tcp_dashboard.dropped_range where instrument_id = ${instrumentId} and data_type = ${dataType} order by first`;

// With every page of candles: prepared, so that they are put together and planned once.
const PLACES = placesFor('exchange', 'symbol', 'dataType', 'from', 'to', 'rows');
const NEAR = prepared('stretches near', near(PLACES));
const DROPPED = prepared('dropped ranges', droppedOf(instrumentIdIn(PLACES.exchange, PLACES.symbol), PLACES.dataType));

const toDropped = ({ first, last, from_time: from, to_time: to }: DroppedRow): DroppedRange => ({
  ...{ first: BigInt(first), last: BigInt(last), from, to },
});

const merged = (rows: readonly StretchRow[]): readonly Stretch[] =>
  mergeStretches([...Map.groupBy(rows, ({ writer }) => writer).values()].map((own) => own.map(toStretch)));

const toStretch = (row: StretchRow): Stretch => ({
  first: BigInt(row.first),
  last: BigInt(row.last),
  status: row.status as CoverageStatus,
  evidence: row.evidence as CoverageEvidence,
  from: row.from_time,
  to: row.to_time,
  actual: row.actual,
  cause: row.cause,
  gap: row.gap === null ? null : BigInt(row.gap),
  gapFoundAt: row.gap_found_at,
});

const toGap = (row: GapRow): StoredGap => ({
  writer: row.writer,
  exchange: row.exchange,
  symbol: row.symbol,
  dataType: row.data_type as DataType,
  first: BigInt(row.gap),
  last: BigInt(row.last),
  foundAt: row.found_at,
  from: row.from_time,
  to: row.to_time,
  cause: row.cause,
  status: row.status,
  expected: BigInt(row.expected),
  filled: BigInt(row.filled),
  unfillable: BigInt(row.unfillable),
});

const beyond = ({ foundAt, exchange, symbol, dataType, first, writer }: GapKey) => sql`(found_at < ${foundAt}::float8
  or (found_at = ${foundAt}::float8 and (exchange, symbol, data_type collate "C", gap::numeric, writer)
    > (${exchange}::text collate "C", ${symbol}::text collate "C", ${dataType}::text collate "C", ${String(first)}::numeric, ${writer}::int)))`;
