import { type SQL, sql } from 'drizzle-orm';
import { type CandleValues, GRACE_MS, type TradedWindow } from '../market/candle.ts';
import { type CandleWindow, startOf } from '../market/candle-window.ts';
import type { Decimal } from '../market/decimal.ts';
import { toInstant } from '../runtime/date-time.ts';
import type { Handle } from './connections.ts';
import type { Database } from './database.ts';
import { instrumentIdIn, instrumentIdOf } from './instruments.ts';
import { LATEST_TRADE_MS } from './partitions.ts';
import { candleColumns, STORED_SECONDS } from './roll-up.ts';

export interface CandleQuery {
  readonly exchange: string;
  readonly symbol: string;
  /** Ascending. */
  readonly windows: readonly CandleWindow[];
  /** Whether a trade at the very end of a window belongs to it, instead of one at its very beginning. */
  readonly endInclusive: boolean;
  /** Only what was recorded by then, ms; null for all. */
  readonly asOf: number | null;
}

/** A part of a window, in ms, and what it is read from: stored candles of so many seconds, or (0) trades. */
interface Piece {
  readonly window: number;
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}

/** What was traded in each window, from stored candles where they fit and from trades where they do not. Exact either way. */
export async function readCandles(db: Database, query: CandleQuery): Promise<readonly TradedWindow[]> {
  const { windows } = query;
  return db.readers.run(async (handle) => {
    const rows = await readWindows(db, handle, { ...query, windows: reachable(query) });
    const revised: number[] = [];
    for (const [k, { recordedAt }] of rows)
      if (recordedAt > (windows[k]?.closeTime ?? Number.POSITIVE_INFINITY) + GRACE_MS) revised.push(k);
    const revisions =
      revised.length === 0 ? new Map<number, number>() : await countRevisions(handle, query, rows, revised);
    return windows.map(({ openTime, closeTime }, k) => {
      const values = rows.get(k) ?? null;
      const revision = revisions.get(k);
      return { openTime, closeTime, values: values && revision !== undefined ? { ...values, revision } : values };
    });
  });
}

/** What begins long after the time asked about was empty then, whatever was stored since. */
function reachable({ windows, asOf }: CandleQuery): readonly CandleWindow[] {
  if (asOf === null) return windows;
  const end = windows.findIndex(({ openTime }) => openTime > asOf + LATEST_TRADE_MS);
  return end < 0 ? windows : windows.slice(0, end);
}

export interface NearestTradeQuery extends Pick<CandleQuery, 'exchange' | 'symbol' | 'endInclusive' | 'asOf'> {
  /** The boundary between two windows, ms. */
  readonly time: number;
  /** `before`: the last trade of the window that ends there; `from`: the first one of the one that begins. */
  readonly direction: 'before' | 'from';
}

export interface NearestTrade {
  /** ms. */
  readonly time: number;
  readonly price: Decimal;
}

/** The trade nearest to a boundary in one direction; null when there is none. */
export async function nearestTrade(db: Database, query: NearestTradeQuery): Promise<NearestTrade | null> {
  const { time, direction, endInclusive, asOf } = query;
  const edge = toInstant(Math.min(startOf(time, endInclusive), LATEST));
  const [side, by] = direction === 'before' ? [sql`ts < ${edge}`, sql`desc`] : [sql`ts >= ${edge}`, sql`asc`];
  const rows = await db.readers.run(async (handle) => {
    const instrumentId = await instrumentIdOf(handle, query.exchange, query.symbol);
    if (instrumentId === null) return [];
    return handle.execute<{ time: number; price: string }>(
      sql`select (extract(epoch from ts) * 1000)::float8 as time, price::text as price from tcp_dashboard.trade
        where instrument_id = ${instrumentId} and ${side}::timestamptz
          ${asOf === null ? sql`` : sql`and recorded_at <= ${toInstant(asOf)}::timestamptz`}
        order by ts ${by}, length(trade_id) ${by}, trade_id ${by} limit 1`,
      'objects',
    );
  });
  const [row] = rows;
  return row ? { time: row.time, price: row.price as Decimal } : null;
}

/** No trade is stored so late. */
const LATEST = Date.UTC(9999, 0);

/** Its revisions are counted later, where there can be any. */
type Row = CandleValues;

async function readWindows(db: Database, handle: Handle, query: CandleQuery): Promise<Map<number, Row>> {
  const { windows, endInclusive, asOf } = query;
  const seconds = endInclusive ? null : storedAs(windows);
  if (seconds === null) return foldPieces(handle, query, piecesOf(windows, endInclusive));
  const rows = await readStored(db, query, seconds);
  if (asOf === null) return rows;
  // Of what was recorded since, the trades tell how it was then.
  const later = [...rows].filter(([, row]) => row.recordedAt > asOf).map(([k]) => k);
  if (later.length === 0) return rows;
  const pieces = later.map((k) => ({
    window: k,
    seconds: 0,
    from: windows[k]?.openTime ?? 0,
    to: windows[k]?.closeTime ?? 0,
  }));
  for (const k of later) rows.delete(k);
  for (const [k, row] of await foldPieces(handle, query, pieces)) rows.set(k, row);
  return rows;
}

/** The length in seconds when every window is one stored candle, and they follow each other; else null. */
function storedAs(windows: readonly CandleWindow[]): number | null {
  const [first] = windows;
  const length = first ? first.closeTime - first.openTime : 0;
  const begin = first?.openTime ?? 0;
  const fits =
    begin % length === 0 &&
    windows.every(({ openTime, closeTime }, k) => openTime === begin + k * length && closeTime === openTime + length);
  return fits ? (STORED_SECONDS.find((seconds) => seconds * 1_000 === length) ?? null) : null;
}

/** Each window cut into as few stored candles as it holds, and the trades at its edges. */
export function piecesOf(windows: readonly CandleWindow[], endInclusive: boolean): readonly Piece[] {
  return windows.flatMap(({ openTime, closeTime }, window) =>
    cut(startOf(openTime, endInclusive), startOf(closeTime, endInclusive), STORED_SECONDS.toReversed()).map(
      (piece) => ({ window, ...piece }),
    ),
  );
}

function cut(from: number, to: number, [seconds, ...shorter]: readonly number[]): readonly Omit<Piece, 'window'>[] {
  if (from >= to) return [];
  if (seconds === undefined) return [{ seconds: 0, from, to }];
  const length = seconds * 1_000;
  const [first, last] = [Math.ceil(from / length) * length, Math.floor(to / length) * length];
  if (first >= last) return cut(from, to, shorter);
  return [...cut(from, first, shorter), { seconds, from: first, to: last }, ...cut(last, to, shorter)];
}

/**
 * A page of candles as one value of text, with a space behind each figure, so that one split takes it apart. As rows with columns the driver would
 * spend as much time on it as the database.
 */
const page = `string_agg(concat_ws(' ', k, (date_part('epoch', recorded_at) * 1000)::int8, trade_count,
  open, high, low, close, volume, quote_volume, buy_volume), ' ') as page`;
const PAGE = sql.raw(page);
const FIGURES = 10;

interface PageRow extends Record<string, unknown> {
  /** Null without a candle. */
  readonly page: string | null;
}

/** What several candles come to as one. */
export const FOLDED = sql.raw(`max(recorded_at) as recorded_at, sum(trade_count) as trade_count,
  (array_agg(open order by first_ts, length(first_id), first_id))[1] as open, max(high) as high, min(low) as low,
  (array_agg(close order by last_ts desc, length(last_id) desc, last_id desc))[1] as close,
  sum(volume) as volume, sum(quote_volume) as quote_volume, sum(buy_volume) as buy_volume,
  min(first_ts) as first_ts, max(last_ts) as last_ts,
  (array_agg(first_id order by first_ts, length(first_id), first_id))[1] as first_id,
  (array_agg(last_id order by last_ts desc, length(last_id) desc, last_id desc))[1] as last_id`);

export const COLUMNS = sql.raw(
  'recorded_at, trade_count, open, high, low, close, volume, quote_volume, buy_volume, first_ts, last_ts, first_id, last_id',
);

/** Windows that are one stored candle each, in one walk. Prepared once, as this is what is asked for most. */
async function readStored(
  db: Database,
  { exchange, symbol, windows }: CandleQuery,
  seconds: number,
): Promise<Map<number, Row>> {
  const [from, to] = [windows[0]?.openTime ?? 0, windows.at(-1)?.closeTime ?? 0];
  return toRows(
    await db.readers.query<PageRow>({
      name: 'stored candles',
      text: `select ${page} from (
        select ((date_part('epoch', ts) * 1000)::int8 - $4::int8) / ($3::int4 * 1000) as k, *
        from tcp_dashboard.candle where seconds = $3
          and instrument_id = (select id from tcp_dashboard.instrument where exchange = $1 and symbol = $2)
          and ts >= $5::timestamptz and ts < $6::timestamptz) c`,
      values: [exchange, symbol, seconds, from, toInstant(from), toInstant(to)],
    }),
  );
}

/** Windows that are folded from several pieces. */
async function foldPieces(
  handle: Handle,
  { exchange, symbol, asOf }: CandleQuery,
  pieces: readonly Piece[],
): Promise<Map<number, Row>> {
  // The number itself, as the planner knows how much there is of it.
  const instrumentId = pieces.length === 0 ? null : await instrumentIdOf(handle, exchange, symbol);
  if (instrumentId === null) return new Map();
  const known = asOf === null ? sql`true` : sql`recorded_at <= ${toInstant(asOf)}::timestamptz`;
  const stored = sql`from tcp_dashboard.candle c
    where p.seconds > 0 and c.instrument_id = ${instrumentId} and c.seconds = p.seconds and c.ts >= p.from_ts and c.ts < p.to_ts`;
  /** One row of what trades between two times come to; none where there is no trade. */
  const traded = (spans: SQL) => sql`select ${COLUMNS} from (${spans}) span (from_ts, to_ts) cross join lateral (
    select ${sql.raw(candleColumns)} from tcp_dashboard.trade t
      where t.instrument_id = ${instrumentId} and t.ts >= span.from_ts and t.ts < span.to_ts and ${known} having count(*) > 0) x`;
  const sources = [
    // Folded piece by piece, so that each is one walk through an index and not a part of one great join.
    sql`select ${FOLDED} ${stored} and ${known} having count(*) > 0`,
    traded(sql`select p.from_ts, p.to_ts where p.seconds = 0`),
    // What was recorded into a stored candle since cannot be taken out of it again.
    ...(asOf === null
      ? []
      : [traded(sql`select c.ts, c.ts + make_interval(secs => c.seconds) ${stored} and not (${known})`)]),
  ];
  return toRows(
    await handle.execute<PageRow>(
      sql`select ${PAGE} from (
        select p.k, ${FOLDED}
        from unnest(${list(pieces, ({ window }) => window)}::int[], ${list(pieces, ({ seconds }) => seconds)}::int[],
          ${list(pieces, ({ from }) => toInstant(from))}::timestamptz[], ${list(pieces, ({ to }) => toInstant(to))}::timestamptz[])
          as p (k, seconds, from_ts, to_ts)
        cross join lateral (${sql.join(sources, sql` union all `)}) piece
        group by p.k) f`,
      'objects',
    ),
  );
}

/** How many recordings came after each of these windows was closed, of those that are in its row: more may have come since. */
async function countRevisions(
  handle: Handle,
  { exchange, symbol, windows, endInclusive }: CandleQuery,
  counted: ReadonlyMap<number, Row>,
  revised: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const spans = revised.flatMap((k) => {
    const [window, row] = [windows[k], counted.get(k)];
    if (window === undefined || row === undefined) return [];
    const { openTime, closeTime } = window;
    const [from, to] = [startOf(openTime, endInclusive), startOf(closeTime, endInclusive)];
    return [{ k, from, to, closed: closeTime + GRACE_MS, newest: row.recordedAt }];
  });
  const rows = await handle.execute<{ k: number; revision: number }>(
    sql`select w.k, (select count(distinct t.recorded_at)::int from tcp_dashboard.trade t
        where t.instrument_id = ${instrumentIdIn(exchange, symbol)} and t.ts >= w.from_ts and t.ts < w.to_ts
          and t.recorded_at > w.closed and t.recorded_at <= w.newest) as revision
      from unnest(${list(spans, ({ k }) => k)}::int[], ${list(spans, ({ from }) => toInstant(from))}::timestamptz[],
        ${list(spans, ({ to }) => toInstant(to))}::timestamptz[], ${list(spans, ({ closed }) => toInstant(closed))}::timestamptz[],
        ${list(spans, ({ newest }) => toInstant(newest))}::timestamptz[]) as w (k, from_ts, to_ts, closed, newest)`,
    'objects',
  );
  return new Map(rows.map(({ k, revision }) => [k, revision]));
}

export const list = <T>(values: readonly T[], pick: (value: T) => string | number) => sql.param(values.map(pick));

function toRows([row]: readonly PageRow[]): Map<number, Row> {
  const rows = new Map<number, Row>();
  const all = row?.page?.split(' ') ?? [];
  for (let at = 0; at < all.length; at += FIGURES) {
    const figure = (place: number) => all[at + place] as Decimal;
    rows.set(Number(all[at]), {
      open: figure(3),
      high: figure(4),
      low: figure(5),
      close: figure(6),
      volume: figure(7),
      quoteVolume: figure(8),
      buyVolume: figure(9),
      tradeCount: Number(all[at + 2]),
      recordedAt: Number(all[at + 1]),
      revision: 0,
    });
  }
  return rows;
}
