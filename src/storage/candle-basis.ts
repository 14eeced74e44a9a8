import { sql } from 'drizzle-orm';
import { GRACE_MS } from '../market/candle.ts';
import type { CandleWindow } from '../market/candle-window.ts';
import type { Decimal } from '../market/decimal.ts';
import type { CandleBasis } from '../market/growing-candle.ts';
import { toInstant } from '../runtime/date-time.ts';
import { COLUMNS, FOLDED, list, piecesOf } from './candles.ts';
import type { Database } from './database.ts';
import { instrumentIdOf } from './instruments.ts';
import { candleColumns } from './roll-up.ts';
import { rowId } from './trade-columns.ts';
import type { Position } from './trades.ts';

export interface CandleBasisQuery {
  readonly exchange: string;
  readonly symbol: string;
  readonly windows: readonly CandleWindow[];
  /** Of every writer the last sequence whose trade counts. */
  readonly position: Position;
}

/** A clock that is set back makes a later trade look as if it were recorded earlier, at most by this. */
const CLOCK_STEP = '10 minutes';

/** Where nothing was traded in any window there is one row, of which only `reached` is no null. */
interface BasisRow extends Record<string, unknown> {
  readonly k: number;
  readonly recorded_at: number;
  readonly trade_count: number;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
  readonly quote_volume: Decimal;
  readonly buy_volume: Decimal;
  readonly reached: boolean;
  readonly revision: number;
  readonly first_time: number;
  readonly first_id: string | null;
  readonly last_time: number;
  readonly last_id: string;
}

/**
 * What was traded in each window up to a position, exactly, whatever was stored since: what a candle that follows the stream grows
 * on from. Null in a window without trades. Null in all: storage has not yet stored all up to the position.
 */
export async function readCandleBases(
  db: Database,
  { exchange, symbol, windows, position }: CandleBasisQuery,
): Promise<readonly (CandleBasis | null)[] | null> {
  const pieces = piecesOf(windows, false);
  const places = [...position];
  const rows = await db.readers.run(async (handle) => {
    const instrumentId = (await instrumentIdOf(handle, exchange, symbol)) ?? -1;
    const trades = sql`from tcp_dashboard.trade t where t.instrument_id = ${instrumentId} and exists (
      select from place where t.id > place.least and t.id <= place.most)`;
    const traded = sql.raw(candleColumns);
    return handle.execute<BasisRow>(
      sql`with place as materialized (
          select * from unnest(${list(places, ([writer]) => writer)}::int[], ${list(places, ([, sequence]) => String(sequence))}::int8[],
            ${list(places, ([writer]) => String(rowId(writer, 0n)))}::int8[], ${list(places, ([writer, sequence]) => String(rowId(writer, sequence)))}::int8[])
            as p (writer, sequence, least, most)
        ), mark as materialized (
          select coalesce((select bool_and(coalesce(w.position, 0) >= p.sequence) from place p left join tcp_dashboard.writer w on w.id = p.writer), true) as reached,
            coalesce((select min(newer.recorded_at) from tcp_dashboard.writer w left join place p on p.writer = w.id cross join lateral (
              select t.recorded_at from tcp_dashboard.trade t where t.id > coalesce(p.most, w.id::int8 << 48) and t.id <= (w.id::int8 << 48) + w.position
                order by t.id limit 1) newer where w.position > coalesce(p.sequence, 0)) - interval '${sql.raw(CLOCK_STEP)}', 'infinity') as clean
        )
        select mark.reached, f.* from mark left join lateral (
          select k, (extract(epoch from recorded_at) * 1000)::float8 as recorded_at, trade_count::float8 as trade_count,
            open::text, high::text, low::text, close::text, volume::text, quote_volume::text, buy_volume::text, (extract(epoch from first_ts) * 1000)::float8 as first_time, first_id,
            (extract(epoch from last_ts) * 1000)::float8 as last_time, last_id,
            case when folded.recorded_at <= w.closed then 0 else (select count(distinct t.recorded_at)::int ${trades}
              and t.ts >= w.from_ts and t.ts < w.to_ts and t.recorded_at > w.closed) end as revision
          from (select p.k, ${FOLDED}
            from unnest(${list(pieces, ({ window }) => window)}::int[], ${list(pieces, ({ seconds }) => seconds)}::int[],
              ${list(pieces, ({ from }) => toInstant(from))}::timestamptz[], ${list(pieces, ({ to }) => toInstant(to))}::timestamptz[])
              as p (k, seconds, from_ts, to_ts)
            cross join lateral (
              select ${FOLDED} from tcp_dashboard.candle c where p.seconds > 0 and c.instrument_id = ${instrumentId} and c.seconds = p.seconds
                and c.ts >= p.from_ts and c.ts < p.to_ts and c.recorded_at < mark.clean having count(*) > 0
              union all
              select ${COLUMNS} from (
                select p.from_ts, p.to_ts where p.seconds = 0
                union all select c.ts, c.ts + make_interval(secs => c.seconds) from tcp_dashboard.candle c
                  where p.seconds > 0 and c.instrument_id = ${instrumentId} and c.seconds = p.seconds
                    and c.ts >= p.from_ts and c.ts < p.to_ts and c.recorded_at >= mark.clean
              ) span (from_ts, to_ts) cross join lateral (
                select ${traded} ${trades} and t.ts >= span.from_ts and t.ts < span.to_ts having count(*) > 0) x
            ) piece group by p.k) folded
          join unnest(${list([...windows.keys()], (k) => k)}::int[], ${list(windows, ({ openTime }) => toInstant(openTime))}::timestamptz[],
            ${list(windows, ({ closeTime }) => toInstant(closeTime))}::timestamptz[],
            ${list(windows, ({ closeTime }) => toInstant(closeTime + GRACE_MS))}::timestamptz[]) as w (n, from_ts, to_ts, closed) on w.n = folded.k
        ) f on mark.reached`,
      'objects',
    );
  });
  if (rows[0]?.reached !== true) return null;
  const bases: (CandleBasis | null)[] = windows.map(() => null);
  for (const row of rows) if (row.first_id !== null) bases[row.k] = toBasis(row);
  return bases;
}

const toBasis = (row: BasisRow): CandleBasis => ({
  values: {
    ...{ open: row.open, high: row.high, low: row.low, close: row.close },
    ...{ volume: row.volume, quoteVolume: row.quote_volume, buyVolume: row.buy_volume },
    ...{ tradeCount: row.trade_count, recordedAt: row.recorded_at, revision: row.revision },
  },
  first: { time: row.first_time, tradeId: row.first_id ?? '' },
  last: { time: row.last_time, tradeId: row.last_id },
});

/** The newest exchange time, ms, of each market's stored trades; -Infinity where there is none. */
export async function newestTimes(
  db: Database,
  exchange: string,
  symbols: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.readers.run((handle) =>
    handle.execute<{ symbol: string; time: number | null }>(
      sql`select i.symbol, (select (extract(epoch from t.ts) * 1000)::float8 from tcp_dashboard.trade t
          where t.instrument_id = i.id order by t.ts desc limit 1) as time
        from tcp_dashboard.instrument i where i.exchange = ${exchange} and i.symbol = any(${sql.param([...symbols])}::text[])`,
      'objects',
    ),
  );
  const known = new Map(rows.map(({ symbol, time }) => [symbol, time]));
  return new Map(symbols.map((symbol) => [symbol, known.get(symbol) ?? Number.NEGATIVE_INFINITY]));
}
