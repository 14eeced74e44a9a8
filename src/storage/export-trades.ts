import type { Database } from './database.ts';
import type { MarketRange } from './export-state.ts';
import { instrumentIdOf } from './instruments.ts';
import { PROVENANCE_LETTERS, rowId, SIDE_LETTERS } from './trade-columns.ts';
import type { Position } from './trades.ts';

/** What is read of a trade, in this order; times are ms since the Unix epoch. */
export const TRADE_FIELDS = [
  ...(['exchange_time', 'price', 'size', 'side', 'fill_count', 'received_at', 'recorded_at'] as const),
  ...(['provenance', 'writer', 'sequence', 'trade_id'] as const),
] as const;

/** Rows as text: cells by `TRADE_FIELDS` with a tab between, rows with a line feed between. */
export interface TextRows {
  readonly text: string;
  readonly count: number;
}

export interface TradeRowsQuery extends MarketRange {
  /** Only trades up to here. */
  readonly position: Position;
}

/**
 * Rows of one statement. The embedded database has a single session, in which recording waits meanwhile; on Postgres larger pages were
 * not faster (docs/decisions/export.md).
 */
const PAGE_ROWS = { embedded: 4_000, postgres: 10_000 } as const;

/** The time of the first statement, ms. */
const FIRST_SPAN_MS = 60_000;

/**
 * Trades by exchange time and id, page by page; the next page is read while one is used. No connection is held between two pages,
 * however long that takes.
 */
export async function* tradeRows(
  db: Database,
  query: TradeRowsQuery,
  pageRows: number = PAGE_ROWS[db.kind],
): AsyncGenerator<TextRows, void> {
  const instrumentId = await db.readers.run((handle) => instrumentIdOf(handle, query.exchange, query.symbol));
  if (instrumentId === null) return;
  const read = (place: Place): Promise<PageRow> => {
    const reading = readPage(db, query, { instrumentId, ...place }, pageRows);
    reading.catch(() => {}); // thrown again when its turn comes, unless nobody waits any more
    return reading;
  };
  let place: Place | null = { from: query.from, id: '', to: Math.min(query.to, query.from + FIRST_SPAN_MS) };
  for (let next = read(place); place !== null; ) {
    const { text, count, time, id } = await next;
    const isFull = count >= pageRows && time !== null && id !== null;
    place = follow(place, query.to, isFull ? { from: time, id } : null, count < pageRows / 2);
    if (place !== null) next = read(place);
    if (text !== null) yield { text, count };
  }
}

/** What one statement reads: from this trade on, exclusive, up to a time. All in ms. */
interface Place {
  readonly from: number;
  readonly id: string;
  readonly to: number;
}

/**
 * From `last`, the trade a full page ended with, or from where the place ended. The span grows where trades are few and shrinks where they
 * are many: a planner that knows no statistics sorts whatever the statement could reach, which without an end was all of the range each time.
 */
function follow(place: Place, end: number, last: Omit<Place, 'to'> | null, isSparse: boolean): Place | null {
  const span = place.to - place.from;
  if (last !== null) return { ...last, to: Math.min(end, last.from + Math.max(1, Math.floor(span / 2))) };
  if (place.to >= end) return null;
  return { from: place.to, id: '', to: Math.min(end, place.to + span * (isSparse ? 2 : 1)) };
}

interface PageRow {
  /** Null without a row. */
  readonly text: string | null;
  readonly count: number;
  /** Of its last trade, ms. */
  readonly time: number | null;
  readonly id: string | null;
}

const words = (column: string, letters: Readonly<Record<string, string>>): string =>
  `case ${column} ${Object.entries(letters)
    .map(([word, letter]) => `when '${letter}' then '${word}'`)
    .join(' ')} end`;
/** date_part is a float, exact for whole ms; extract would be a slow numeric. */
const ms = (column: string): string => `(date_part('epoch', ${column}) * 1000)::int8`;

const COLUMNS = [
  ...[ms('ts'), 'price', 'size', words('side', SIDE_LETTERS), 'fill_count', ms('received_at'), ms('recorded_at')],
  ...[words('provenance', PROVENANCE_LETTERS), 'id >> 48', 'id & ((1::int8 << 48) - 1)', 'trade_id'],
];

/** A page is one value: rows as columns cost the driver as much time as the database. Where an id is above its writer's position it came later. */
const PAGE = `select string_agg(line, e'\\n') as text, count(*)::int as count, ${ms('max(ts)')}::float8 as time,
    (array_agg(trade_id))[count(*)] as id
  from (select ts, trade_id, concat(${COLUMNS.join(`, e'\\t', `)}) as line
    from (select * from tcp_dashboard.trade
      where instrument_id = $1 and ts >= $2::timestamptz and ts < $3::timestamptz
        and (ts > $2::timestamptz or (length(trade_id), trade_id) > (length($4), $4::text collate "C"))
        and id <= ($5::int8[])[(id >> 48)::int + 1]
      order by ts, length(trade_id), trade_id limit $6) t) l`;

async function readPage(
  db: Database,
  { position }: TradeRowsQuery,
  { instrumentId, from, id, to }: Place & { readonly instrumentId: number },
  limit: number,
): Promise<PageRow> {
  const values = [instrumentId, iso(from), iso(to), id, bounds(position), limit];
  const [page] = await db.readers.query<PageRow>({ text: PAGE, values });
  return page ?? { text: null, count: 0, time: null, id: null };
}

/** The highest row id of each writer by its slot, from 0; null: nothing of it. */
function bounds(position: Position): readonly (string | null)[] {
  const highest: (string | null)[] = Array(Math.max(0, ...position.keys()) + 1).fill(null);
  for (const [writer, sequence] of position) highest[writer] = String(rowId(writer, sequence));
  return highest;
}

const iso = (time: number): string => new Date(time).toISOString();
