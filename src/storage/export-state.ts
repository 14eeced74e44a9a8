import { hash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Stretch } from '../market/coverage.ts';
import { readStretches, selectDropped } from './coverage.ts';
import type { Database } from './database.ts';
import { instrumentIdIn } from './instruments.ts';
import { writer } from './tables.ts';
import type { Position } from './trades.ts';

/** Trades of one market by exchange time, ms: [from, to). */
export interface MarketRange {
  readonly exchange: string;
  readonly symbol: string;
  readonly from: number;
  readonly to: number;
}

/** One state of the database, as far as a range of trades goes. It can be read later too: trades are only ever added, in order. */
export interface ExportState {
  /** The last sequence of each writer that is in it. */
  readonly position: Position;
  /** What the ledger says of exactly these trades. */
  readonly stretches: readonly Stretch[];
  /** Names what retention had taken of the range; another name: the state cannot be read any more. */
  readonly dropped: string;
}

/** A manifest lists every one; far more than a stream has in practice. */
const MOST_STRETCHES = 100_000;

/** What is there now. A commit moves position and ledger with its trades, so the three fit. */
export function readExportState(db: Database, range: MarketRange): Promise<ExportState> {
  const { exchange, symbol } = range;
  const times = { from: new Date(range.from), to: new Date(range.to) };
  return db.readers.snapshot(async (handle) => {
    const rows = await handle.select({ id: writer.id, position: writer.position }).from(writer).orderBy(writer.id);
    return {
      position: new Map(rows.map(({ id, position }) => [id, position])),
      stretches: await readStretches(handle, { exchange, symbol, dataType: 'trade', ...times }, MOST_STRETCHES),
      dropped: await droppedOf(handle, range),
    };
  });
}

/** Asked after the rows were read: whether retention took a part of them meanwhile. */
export const droppedNow = (db: Database, range: MarketRange): Promise<string> =>
  db.readers.run((handle) => droppedOf(handle, range));

async function droppedOf(
  handle: Parameters<Parameters<Database['readers']['run']>[0]>[0],
  { exchange, symbol, from, to }: MarketRange,
): Promise<string> {
  const ranges = await selectDropped(handle, instrumentIdIn(exchange, symbol), 'trade');
  const own = ranges.filter((range) => range.from < to && range.to > from);
  return hash('sha256', own.map(({ first, last }) => `${first}-${last}`).join(), 'base64url').slice(0, 11);
}

/** How large the decimals of a range may get; every one of its trades and candles stays within. */
export interface DecimalBounds {
  /** Digits after the point, at most. */
  readonly places: number;
  /** Digits before it, at most. */
  readonly digits: number;
}

/**
 * From the candles of the hours: in them the places of a sum are those of its longest summand, so that no trade has to be read.
 * A price has no more places than price times size.
 */
export async function decimalBounds(db: Database, { exchange, symbol, from, to }: MarketRange): Promise<DecimalBounds> {
  const [row] = await db.readers.run((handle) =>
    handle.execute<{ places: number | null; digits: number | null }>(
      sql`select greatest(max(scale(c.volume)), max(scale(c.quote_volume)))::int as places,
          length(trunc(greatest(max(c.high), sum(c.volume), sum(c.quote_volume)))::text)::int as digits
        from tcp_dashboard.candle c join tcp_dashboard.instrument i on i.id = c.instrument_id
        where i.exchange = ${exchange} and i.symbol = ${symbol} and c.seconds = 3600
          and c.ts > ${new Date(from).toISOString()}::timestamptz - interval '1 hour' and c.ts < ${new Date(to).toISOString()}::timestamptz`,
      'objects',
    ),
  );
  return { places: row?.places ?? 0, digits: row?.digits ?? 0 };
}
