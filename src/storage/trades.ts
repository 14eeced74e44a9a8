import { and, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Decimal } from '../market/decimal.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import { AppError } from '../runtime/errors.ts';
import type { Handle } from './connections.ts';
import type { Database } from './database.ts';
import { instrument, trade, writer } from './tables.ts';
import { provenanceOf, rowId, sequenceOf, sideOf, writerOf } from './trade-columns.ts';

/** Where a trade stands in the order of its instrument: by exchange time, then by id as a number. */
export interface TradeKey {
  /** ms since the Unix epoch. */
  readonly exchangeTime: number;
  readonly tradeId: string;
}

/** `trade.raw` is null unless the payload was stored. */
export interface StoredTrade extends RecordedTrade {}

/** Per writer, the last sequence seen. */
export type Position = ReadonlyMap<number, bigint>;

export async function findTrade(
  db: Database,
  exchange: string,
  symbol: string,
  key: TradeKey,
): Promise<StoredTrade | null> {
  const rows = await db.readers.run((handle) =>
    selectTrades(handle).where(
      and(
        eq(instrument.exchange, exchange),
        eq(instrument.symbol, symbol),
        eq(trade.ts, new Date(key.exchangeTime)),
        eq(trade.tradeId, key.tradeId),
      ),
    ),
  );
  return rows[0] ? toStoredTrade(rows[0]) : null;
}

/** How many sequences of one writer are looked through for one page of a narrow filter. */
const WINDOW_PAGES = 20;

/**
 * The next trades after a position, in sequence order per writer. `position` moves also over trades the filter left out;
 * `done` when it reached what was committed at the time of the call.
 * @throws {AppError} CURSOR_EXPIRED when retention dropped a trade after the position.
 */
export async function tradesAfter(
  db: Database,
  position: Position,
  filter: { readonly exchange: string | null; readonly symbols: readonly string[] | null },
  limit: number,
): Promise<{ readonly trades: readonly StoredTrade[]; readonly position: Position; readonly done: boolean }> {
  const heads = await currentPosition(db);
  const reached = new Map(position);
  const trades: StoredTrade[] = [];
  for (const [id, head] of heads) {
    const seen = reached.get(id) ?? 0n;
    if (seen >= head) continue;
    const room = limit - trades.length;
    if (room <= 0) break;
    const end = seen + BigInt(limit * WINDOW_PAGES) < head ? seen + BigInt(limit * WINDOW_PAGES) : head;
    const found = await db.readers.run((handle) => selectWindow(handle, { id, seen, end }, filter, room));
    trades.push(...found.map(toStoredTrade));
    const last = found.at(-1);
    if (last !== undefined && found.length === room) reached.set(id, sequenceOf(last.id));
    else reached.set(id, last === undefined && end < head ? await lastEmpty(db, { id, seen: end, end: head }) : end);
  }
  await demandKept(db, position);
  return { trades, position: reached, done: [...heads].every(([id, head]) => (reached.get(id) ?? 0n) >= head) };
}

/** The last sequence after `seen` before that of a trade: after a restore numbers begin far above those that were given. */
async function lastEmpty(db: Database, { id, seen, end }: Window): Promise<bigint> {
  const [next] = await db.readers.run((handle) =>
    handle
      .select({ id: trade.id })
      .from(trade)
      .where(and(gt(trade.id, rowId(id, seen)), lte(trade.id, rowId(id, end))))
      .orderBy(trade.id)
      .limit(1),
  );
  return next === undefined ? end : sequenceOf(next.id) - 1n;
}

/** Asked after the rows were read: what was dropped meanwhile is then not taken for empty. */
async function demandKept(db: Database, position: Position): Promise<void> {
  const marks = await db.readers.run((handle) =>
    handle.select({ id: writer.id, dropped: writer.dropped }).from(writer).where(gt(writer.dropped, 0n)),
  );
  if (marks.every(({ id, dropped }) => (position.get(id) ?? 0n) >= dropped)) return;
  throw new AppError(
    'CURSOR_EXPIRED',
    'Trades after this cursor were dropped by retention: read what is kept with the query `trades`, and subscribe without `after`',
  );
}

/** The last committed sequence of every writer. */
export async function currentPosition(db: Database): Promise<Position> {
  const rows = await db.readers.run((handle) =>
    handle.select({ id: writer.id, position: writer.position }).from(writer).orderBy(writer.id),
  );
  return new Map(rows.map(({ id, position }) => [id, position]));
}

/** The sequences of writer `id` after `seen`, up to and with `end`. */
interface Window {
  readonly id: number;
  readonly seen: bigint;
  readonly end: bigint;
}

function selectWindow(
  handle: Handle,
  { id, seen, end }: Window,
  { exchange, symbols }: { readonly exchange: string | null; readonly symbols: readonly string[] | null },
  limit: number,
) {
  return selectTrades(handle)
    .where(
      and(
        gt(trade.id, rowId(id, seen)),
        lte(trade.id, rowId(id, end)),
        exchange === null ? undefined : eq(instrument.exchange, exchange),
        symbols === null ? undefined : inArray(instrument.symbol, [...symbols]),
      ),
    )
    .orderBy(trade.id)
    .limit(limit);
}

const selectTrades = (handle: Handle) =>
  handle
    .select({
      id: trade.id,
      exchange: instrument.exchange,
      symbol: instrument.symbol,
      ts: trade.ts,
      receivedAt: trade.receivedAt,
      recordedAt: trade.recordedAt,
      fillCount: trade.fillCount,
      side: trade.side,
      provenance: trade.provenance,
      tradeId: trade.tradeId,
      price: trade.price,
      size: trade.size,
      raw: trade.raw,
    })
    .from(trade)
    .innerJoin(instrument, eq(instrument.id, trade.instrumentId))
    .$dynamic();

type TradeRow = Awaited<ReturnType<typeof selectTrades>>[number];

function toStoredTrade(row: TradeRow): StoredTrade {
  return {
    writer: writerOf(row.id),
    sequence: sequenceOf(row.id),
    recordedAt: row.recordedAt.getTime(),
    provenance: provenanceOf(row.provenance),
    trade: {
      kind: 'trade',
      exchange: row.exchange,
      symbol: row.symbol,
      exchangeTime: row.ts.getTime(),
      receivedAt: row.receivedAt.getTime(),
      tradeId: row.tradeId,
      fillCount: row.fillCount,
      price: row.price as Decimal,
      size: row.size as Decimal,
      side: sideOf(row.side),
      raw: row.raw,
    },
  };
}
