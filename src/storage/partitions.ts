import { eq, sql } from 'drizzle-orm';
import { AppError } from '../runtime/errors.ts';
import type { Handle } from './connections.ts';
import type { Database } from './database.ts';
import { LOCK_SPACE } from './migrate.ts';
import { coverage, droppedRange, maintenance, partition, trade, writer } from './tables.ts';
import { sequenceOf, writerOf } from './trade-columns.ts';

const PARTITIONED = ['trade', 'market_point', 'candle'] as const;
const PARTITION_LOCK = -2;
/** Months made before they are needed. */
const MONTHS_AHEAD = 2;
/** Before 2009 there was nothing to trade; much later than now is a broken clock. A candle of a month ends weeks from now. */
const EARLIEST = Date.UTC(2009, 0);
const DAY_MS = 86_400_000;
const LATEST_AHEAD_MS = 366 * DAY_MS;
/** A trade whose time is further ahead than this when it is recorded comes from a broken clock. */
export const LATEST_TRADE_MS = DAY_MS;
/** How far the exchanges' clock may be from ours before ours is doubted. */
const CLOCK_DOUBT_MS = DAY_MS;

export const monthStart = (time: number): number => {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
};

export const nextMonth = (start: number): number => {
  const date = new Date(start);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
};

/**
 * Makes the partitions of the months that touch `from`..`to` (ms, inclusive). Repeating and racing are safe.
 * @throws {AppError} DATA_POINT_INVALID for a time before 2009 or more than a year ahead.
 */
export async function ensurePartitions(db: Database, from: number, to: number): Promise<void> {
  const months: number[] = [];
  for (const time of [from, to]) checkStorableTime(time, db.now());
  for (let start = monthStart(from); start <= to; start = nextMonth(start)) months.push(start);
  await ensureMonths(db, months);
}

/** Makes the partitions of the months with these first days. Repeating and racing are safe. */
export async function ensureMonths(db: Database, starts: Iterable<number>): Promise<void> {
  for (const start of starts) {
    if (db.knownMonths.has(start)) continue;
    await db.writers.transaction((tx) => makeMonth(tx, start, db.now()));
    db.knownMonths.add(start);
  }
}

/** First days of the months these times (ms) lie in, ascending. */
export const monthsOf = (times: readonly number[]): readonly number[] =>
  [...new Set(times.map(monthStart))].toSorted((a, b) => a - b);

/** E.g. "trade_2026_11". */
export const partitionName = (relation: (typeof PARTITIONED)[number], start: number): string =>
  `${relation}_${new Date(start).toISOString().slice(0, 7).replace('-', '_')}`;

/** This month and the next two, so that nothing has to wait for one at midnight. */
export const ensureMonthsAhead = (db: Database, now: number): Promise<void> => {
  let last = monthStart(now);
  for (let ahead = 0; ahead < MONTHS_AHEAD; ahead++) last = nextMonth(last);
  return ensurePartitions(db, now, last);
};

/** @throws {AppError} DATA_POINT_INVALID for a time no partition is made for. */
export function checkStorableTime(time: number, now: number, aheadMs = LATEST_AHEAD_MS): void {
  if (time >= EARLIEST && time <= now + aheadMs) return;
  const shown = Number.isFinite(time) && Math.abs(time) < 8.64e15 ? new Date(time).toISOString() : String(time);
  throw new AppError(
    'DATA_POINT_INVALID',
    `A stored time is from 2009 to ${aheadMs / DAY_MS} days ahead of our clock, was ${shown}`,
  );
}

async function makeMonth(tx: Handle, start: number, now: number): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${LOCK_SPACE}, ${PARTITION_LOCK})`);
  for (const relation of PARTITIONED) {
    const name = partitionName(relation, start);
    const known = await tx.select({ name: partition.name }).from(partition).where(eq(partition.name, name));
    if (known.length > 0) continue;
    const [startsAt, endsAt] = [new Date(start), new Date(nextMonth(start))];
    await makePartition(tx, { name, relation, startsAt, endsAt });
    await tx.insert(partition).values({ name, relation, startsAt, endsAt, madeAt: new Date(now) });
  }
}

/** Made apart and attached: unlike PARTITION OF, that lets readers and writers of the parent go on. */
export async function makePartition(tx: Handle, { name, relation, startsAt, endsAt }: PartitionPlace): Promise<void> {
  const [table, parent] = [sql`tcp_dashboard.${sql.identifier(name)}`, sql`tcp_dashboard.${sql.identifier(relation)}`];
  await tx.execute(sql`create table ${table} (like ${parent} including defaults)`);
  if (relation === 'trade') await tx.execute(sql`create unique index on ${table} (instrument_id, trade_id)`);
  await tx.execute(
    sql`alter table ${parent} attach partition ${table} for values from (${startsAt.toISOString()}) to (${endsAt.toISOString()})`.inlineParams(),
  );
}

type PartitionPlace = Pick<typeof partition.$inferSelect, 'name' | 'relation' | 'startsAt' | 'endsAt'>;

/** What a retention run did. */
export interface Retention {
  /** Names of the dropped partitions. */
  readonly dropped: readonly string[];
  /** Set when nothing was dropped because our clock may have jumped; says why, in words. */
  readonly refused: string | null;
}

/**
 * Drops, whole, the partitions that ended `retentionMs` ago. A month that was imported late counts from its import.
 * Refuses when more than one month beyond the last run would fall while the newest trade, whose time is the exchange's,
 * does not confirm our clock.
 */
export async function dropExpired(db: Database, retentionMs: number, now: number): Promise<Retention> {
  const cutoff = new Date(now - retentionMs);
  const result = await db.writers.transaction(async (tx): Promise<Retention> => {
    await tx.execute(sql`select pg_advisory_xact_lock(${LOCK_SPACE}, ${PARTITION_LOCK})`);
    const all = await tx.select().from(partition).orderBy(partition.startsAt, partition.name);
    const expired = all.filter(({ endsAt, madeAt }) => endsAt <= cutoff && madeAt <= cutoff);
    const [last] = await tx.select().from(maintenance).where(eq(maintenance.job, 'retention'));
    const beyond = new Set(
      expired.filter(({ endsAt }) => !last || endsAt > last.reached).map(({ endsAt }) => endsAt.getTime()),
    );
    const refused = beyond.size > 1 ? await clockDoubt(tx, now, `${beyond.size} months`) : null;
    if (refused !== null) return { dropped: [], refused };
    await tx.execute(sql`set local lock_timeout = '2s'`);
    // Noted before anything is dropped: from the first drop on everybody waits for us.
    const marks = new Map<number, bigint>();
    for (const { name, relation, startsAt, endsAt } of expired) {
      if (relation === 'trade') await noteLast(tx, name, marks);
      if (relation !== 'candle') await noteRanges(tx, { name, relation, startsAt, endsAt });
    }
    for (const { name } of expired) {
      await tx.execute(sql`drop table if exists tcp_dashboard.${sql.identifier(name)}`);
      await tx.delete(partition).where(eq(partition.name, name));
    }
    // Last, as it makes the writers wait.
    for (const [id, last] of marks)
      await tx
        .update(writer)
        .set({ dropped: sql`greatest(${writer.dropped}, ${last})` })
        .where(eq(writer.id, id));
    const run = { ranAt: new Date(now), reached: cutoff };
    await tx
      .insert(maintenance)
      .values({ job: 'retention', ...run })
      .onConflictDoUpdate({ target: maintenance.job, set: run });
    return { dropped: expired.map(({ name }) => name), refused: null };
  });
  if (result.dropped.length > 0) db.knownMonths.clear();
  return result;
}

/** Raises `marks` to the last sequence of each writer that stands in a partition of trades. */
async function noteLast(tx: Handle, name: string, marks: Map<number, bigint>): Promise<void> {
  const rows = await tx.execute<{ id: string | null }>(
    sql`select (select t.id from tcp_dashboard.${sql.identifier(name)} t
        where t.id >= ${writer.id}::int8 << 48 and t.id <= (${writer.id}::int8 << 48) + ((1::int8 << 48) - 1)
        order by t.id desc limit 1)::text as id
      from ${writer}`,
    'objects',
  );
  for (const { id } of rows) {
    if (id === null) continue;
    const [of, last] = [writerOf(BigInt(id)), sequenceOf(BigInt(id))];
    if (last > (marks.get(of) ?? 0n)) marks.set(of, last);
  }
}

/** Remembers what of every stream goes with a partition: of trades the ids of the month, of other streams its time. */
async function noteRanges(tx: Handle, { name, relation, startsAt, endsAt }: PartitionPlace): Promise<void> {
  const [from, to] = [startsAt.toISOString(), endsAt.toISOString()];
  const table = sql`tcp_dashboard.${sql.identifier(name)}`;
  // Ids rise with time but for a few neighbours, so that those near both ends will do: nobody waits for a month to be read.
  const near = (id: ReturnType<typeof sql>, edge: ReturnType<typeof sql>) => sql`(select ${id} from ${table} t
    where t.instrument_id = c.instrument_id and ${edge})`;
  const [start, end] = [sql`min(ts)`, sql`max(ts)`].map(
    (edge) => sql`(select ${edge} from ${table} where instrument_id = c.instrument_id)`,
  );
  const slack = sql`interval '10 seconds'`;
  const ranges =
    relation === 'trade'
      ? sql`select c.instrument_id, c.data_type, ${near(sql`min(t.trade_id::numeric - t.fill_count + 1)`, sql`t.ts <= ${start} + ${slack}`)} as first,
          ${near(sql`max(t.trade_id::numeric)`, sql`t.ts >= ${end} - ${slack}`)} as last`
      : sql`select c.instrument_id, c.data_type, (extract(epoch from ${from}::timestamptz) * 1000)::numeric as first,
          (extract(epoch from ${to}::timestamptz) * 1000 - 1)::numeric as last`;
  await tx.execute(
    sql`insert into ${droppedRange}
      select instrument_id, data_type, first, last, ${from}::timestamptz, ${to}::timestamptz from (${ranges}
        from (select distinct instrument_id, data_type from ${coverage}) c
        where (c.data_type = 'trade') = ${relation === 'trade'}) r
      where first is not null
      on conflict (instrument_id, data_type, first) do update set last = greatest(dropped_range.last, excluded.last)`,
  );
}

/** Why our clock cannot be trusted with dropping so much, in words; null when the newest trade confirms it. */
export async function clockDoubt(tx: Handle, now: number, what: string): Promise<string | null> {
  const [newest] = await tx.select({ ts: trade.ts }).from(trade).orderBy(sql`${trade.ts} desc`).limit(1);
  if (newest && Math.abs(newest.ts.getTime() - now) <= CLOCK_DOUBT_MS) return null;
  const known = newest ? `the newest trade is of ${newest.ts.toISOString()}` : 'there is no trade to compare it with';
  return `${what} would be dropped at once and our clock says ${new Date(now).toISOString()}, but ${known}`;
}
