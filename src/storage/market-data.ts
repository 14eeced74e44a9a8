import { and, asc, desc, eq, gt, gte, lt, lte, type SQL, sql } from 'drizzle-orm';
import type { DataType } from '../market/data-type.ts';
import { payloadOf } from '../market/market-data-point.ts';
import type { MarketEvent } from '../market/market-event.ts';
import type { Handle } from './connections.ts';
import type { Database } from './database.ts';
import { instrumentIdOf, upsertInstrument } from './instruments.ts';
import { jsonText } from './json-text.ts';
import { readPage } from './page.ts';
import { checkStorableTime, ensureMonths, monthsOf } from './partitions.ts';
import { type PlacedTail, replaceTails, type StreamBooks } from './stream-coverage.ts';
import { instrument, marketPoint } from './tables.ts';

/** One stored ticker, order book, candle or balance. */
export interface MarketDataRow {
  readonly id: bigint;
  readonly exchange: string;
  readonly symbol: string;
  readonly dataType: DataType;
  /** Exchange time. */
  readonly timestamp: Date;
  /** The payload of `payloadOf`. */
  readonly data: unknown;
  readonly createdAt: Date;
}

/** Where a row stands in the order of its instrument and data type. */
export interface MarketDataKey {
  /** ms since the Unix epoch. */
  readonly timestamp: number;
  readonly id: bigint;
}

export interface MarketDataQuery {
  readonly exchange: string;
  readonly symbol: string;
  readonly dataType: DataType;
  /** Inclusive. */
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** Exclusive; "after" and "before" are meant in the asked order. */
  readonly after: MarketDataKey | null;
  readonly before: MarketDataKey | null;
  /** The last `limit` of the range instead of the first, still in the asked order. */
  readonly fromEnd: boolean;
}

/**
 * Stores the events and what the books say of their streams, all or nothing; returns how many events. Repeating stores the events
 * again: these are samples, not a ledger.
 */
export async function insertMarketData(
  db: Database,
  events: readonly MarketEvent[],
  books: StreamBooks | null = null,
): Promise<number> {
  if (events.length === 0 && !books?.tails.length) return 0;
  const times = events.map(({ exchangeTime }) => exchangeTime);
  for (const time of times) checkStorableTime(time, db.now());
  await ensureMonths(db, monthsOf(times));
  const ids = new Map<string, number>();
  const idOf = async (exchange: string, symbol: string, dataType: DataType) => {
    const key = `${exchange} ${symbol}`;
    const id =
      ids.get(key) ?? (await upsertInstrument(db, exchange, symbol, dataType === 'balance' ? 'account' : 'market'));
    ids.set(key, id);
    return id;
  };
  for (const { exchange, symbol, kind } of events) await idOf(exchange, symbol, kind);
  const tails: PlacedTail[] = [];
  for (const tail of books?.tails ?? [])
    tails.push({ ...tail, instrumentId: await idOf(tail.exchange, tail.symbol, tail.dataType) });
  const now = db.now();
  const insert = (handle: Handle) =>
    handle.execute(sql`
      insert into ${marketPoint} (ts, created_at, instrument_id, data_type, data)
      select ts, ${new Date(now).toISOString()}::timestamptz, instrument_id, data_type, data::jsonb
      from unnest(
        ${sql.param(times.map((time) => new Date(time).toISOString()))}::timestamptz[],
        ${sql.param(events.map(({ exchange, symbol }) => ids.get(`${exchange} ${symbol}`)))}::int[],
        ${sql.param(events.map(({ kind }) => kind))}::text[],
        ${sql.param(events.map((event) => jsonText(payloadOf(event))))}::text[]
      ) as e (ts, instrument_id, data_type, data)`);
  await db.writers.transaction(async (tx) => {
    if (events.length > 0) await insert(tx);
    if (books) await replaceTails(tx, books.writer, tails, now);
  });
  return events.length;
}

/** One page, ordered by time and id. */
export async function listMarketData(
  db: Database,
  query: MarketDataQuery,
): Promise<{ readonly rows: readonly MarketDataRow[]; readonly hasMore: boolean }> {
  const { rows, hasMore } = await db.readers.run((handle) =>
    readPage(query, async (direction, limit) => {
      const by = direction === 'ASC' ? asc : desc;
      const instrumentId = await instrumentIdOf(handle, query.exchange, query.symbol);
      if (instrumentId === null) return [];
      return selectPoints(handle)
        .where(
          and(
            eq(marketPoint.instrumentId, instrumentId),
            eq(marketPoint.dataType, query.dataType),
            query.from ? gte(marketPoint.ts, query.from) : undefined,
            query.to ? lt(marketPoint.ts, query.to) : undefined,
            query.after ? beyond(query.after, query.order) : undefined,
            query.before ? beyond(query.before, query.order === 'ASC' ? 'DESC' : 'ASC') : undefined,
          ),
        )
        .orderBy(by(marketPoint.ts), by(marketPoint.id))
        .limit(limit);
    }),
  );
  return { rows: rows.map(toMarketDataRow), hasMore };
}

export interface CandleRowQuery {
  readonly exchange: string;
  readonly symbol: string;
  /** Of their ends; exclusive. */
  readonly from: Date;
  /** Inclusive. */
  readonly to: Date;
}

/** More than the intervals of which candles end together. */
const MOST_AT_ONCE = 24;

/**
 * Stored candles of all intervals that end on a whole minute in (from, to], ascending by end, and of one end in the order they came. Of
 * each end the newest only, among which are those of a closed candle: so a day is never more than 34,560 rows.
 */
export async function listMinuteCandles(
  db: Database,
  { exchange, symbol, from, to }: CandleRowQuery,
): Promise<readonly MarketDataRow[]> {
  const rows = await db.readers.run(async (handle) => {
    const instrumentId = await instrumentIdOf(handle, exchange, symbol);
    if (instrumentId === null) return [];
    const age = sql<number>`row_number() over (partition by ${marketPoint.ts} order by ${marketPoint.id} desc)`;
    const ranked = handle
      .select({
        id: marketPoint.id,
        ts: marketPoint.ts,
        createdAt: marketPoint.createdAt,
        data: marketPoint.data,
        age: age.as('age'),
      })
      .from(marketPoint)
      .where(
        and(
          eq(marketPoint.instrumentId, instrumentId),
          eq(marketPoint.dataType, 'candle'),
          gt(marketPoint.ts, from),
          lte(marketPoint.ts, to),
          sql`date_trunc('minute', ${marketPoint.ts}) = ${marketPoint.ts}`,
        ),
      )
      .as('ranked');
    return handle
      .select({ id: ranked.id, ts: ranked.ts, createdAt: ranked.createdAt, data: ranked.data })
      .from(ranked)
      .where(lte(ranked.age, MOST_AT_ONCE))
      .orderBy(asc(ranked.ts), asc(ranked.id));
  });
  return rows.map((row) => toMarketDataRow({ ...row, exchange, symbol, dataType: 'candle' }));
}

/** The newest balance of every currency, by currency. */
export async function latestBalances(db: Database, exchange: string): Promise<readonly MarketDataRow[]> {
  const rows = await db.readers.run((handle) => {
    const newest = handle
      .select({
        id: marketPoint.id,
        ts: marketPoint.ts,
        createdAt: marketPoint.createdAt,
        dataType: marketPoint.dataType,
        data: marketPoint.data,
      })
      .from(marketPoint)
      .where(and(eq(marketPoint.instrumentId, instrument.id), eq(marketPoint.dataType, 'balance')))
      .orderBy(desc(marketPoint.ts), desc(marketPoint.id))
      .limit(1)
      .as('newest');
    return handle
      .select({
        id: newest.id,
        exchange: instrument.exchange,
        symbol: instrument.symbol,
        dataType: newest.dataType,
        ts: newest.ts,
        data: newest.data,
        createdAt: newest.createdAt,
      })
      .from(instrument)
      .innerJoinLateral(newest, sql`true`)
      .where(and(eq(instrument.exchange, exchange), eq(instrument.kind, 'account')))
      .orderBy(asc(instrument.symbol));
  });
  return rows.map(toMarketDataRow);
}

/** Further along in the given direction than the key. The first comparison alone is what an index can use. */
function beyond({ timestamp, id }: MarketDataKey, order: 'ASC' | 'DESC'): SQL | undefined {
  const time = new Date(timestamp);
  const here = sql`(${marketPoint.ts}, ${marketPoint.id})`;
  const key = sql`(${time.toISOString()}::timestamptz, ${String(id)}::int8)`;
  return order === 'ASC'
    ? and(gte(marketPoint.ts, time), sql`${here} > ${key}`)
    : and(lte(marketPoint.ts, time), sql`${here} < ${key}`);
}

const selectPoints = (handle: Handle) =>
  handle
    .select({
      id: marketPoint.id,
      exchange: instrument.exchange,
      symbol: instrument.symbol,
      dataType: marketPoint.dataType,
      ts: marketPoint.ts,
      data: marketPoint.data,
      createdAt: marketPoint.createdAt,
    })
    .from(marketPoint)
    .innerJoin(instrument, eq(instrument.id, marketPoint.instrumentId))
    .$dynamic();

type PointRow = Awaited<ReturnType<typeof selectPoints>>[number];

const toMarketDataRow = ({ ts, dataType, ...row }: PointRow): MarketDataRow => ({
  ...row,
  dataType: dataType as DataType,
  timestamp: ts,
});
