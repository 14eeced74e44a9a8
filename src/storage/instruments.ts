import { and, asc, eq, sql } from 'drizzle-orm';
import { AppError } from '../runtime/errors.ts';
import type { Handle } from './connections.ts';
import type { Database } from './database.ts';
import { instrument, trade } from './tables.ts';

export type InstrumentKind = 'market' | 'account';

export interface InstrumentRow {
  readonly id: number;
  readonly exchange: string;
  readonly symbol: string;
  /** `account` for a currency of an account's balance. */
  readonly kind: InstrumentKind;
  /** Exchange times; null without a stored trade. */
  readonly firstTradeAt: Date | null;
  readonly lastTradeAt: Date | null;
}

/** Makes the instrument unless it is there and returns its id. Repeating changes nothing. */
export function upsertInstrument(
  db: Database,
  exchange: string,
  symbol: string,
  kind: InstrumentKind,
): Promise<number> {
  return db.writers.run(async (handle) => {
    const known = await instrumentIdOf(handle, exchange, symbol);
    if (known !== null) return known;
    const [made] = await handle
      .insert(instrument)
      .values({ exchange, symbol, kind })
      .onConflictDoNothing()
      .returning({ id: instrument.id });
    const id = made?.id ?? (await instrumentIdOf(handle, exchange, symbol));
    if (id !== null) return id;
    throw new AppError('DATABASE_UNAVAILABLE', `The instrument ${exchange}:${symbol} was removed while it was made`);
  });
}

export async function findInstrument(db: Database, exchange: string, symbol: string): Promise<InstrumentRow | null> {
  const [row] = await db.readers.run((handle) =>
    selectInstruments(handle).where(and(eq(instrument.exchange, exchange), eq(instrument.symbol, symbol))),
  );
  return row ? toInstrumentRow(row) : null;
}

/** Markets (not accounts) by exchange and symbol. */
export async function listInstruments(
  db: Database,
  query: {
    readonly exchange: string | null;
    readonly limit: number;
    readonly after: { readonly exchange: string; readonly symbol: string } | null;
  },
): Promise<{ readonly instruments: readonly InstrumentRow[]; readonly hasMore: boolean }> {
  const { exchange, limit, after } = query;
  const rows = await db.readers.run((handle) =>
    selectInstruments(handle)
      .where(
        and(
          eq(instrument.kind, 'market'),
          exchange === null ? undefined : eq(instrument.exchange, exchange),
          after === null
            ? undefined
            : sql`(${instrument.exchange}, ${instrument.symbol}) > (${after.exchange}, ${after.symbol})`,
        ),
      )
      .orderBy(asc(instrument.exchange), asc(instrument.symbol))
      .limit(limit + 1),
  );
  return { instruments: rows.slice(0, limit).map(toInstrumentRow), hasMore: rows.length > limit };
}

/** Null when nothing was ever stored of it. */
export async function instrumentIdOf(handle: Handle, exchange: string, symbol: string): Promise<number | null> {
  const [row] = await handle
    .select({ id: instrument.id })
    .from(instrument)
    .where(and(eq(instrument.exchange, exchange), eq(instrument.symbol, symbol)));
  return row?.id ?? null;
}

/** The same as a part of a statement, which then needs no round trip of its own. */
export const instrumentIdIn = (exchange: unknown, symbol: unknown) =>
  sql`(select id from tcp_dashboard.instrument where exchange = ${exchange} and symbol = ${symbol})`;

/** The same, asked once: instruments are never removed. */
export async function knownInstrument(db: Database, exchange: string, symbol: string): Promise<number | null> {
  const name = `${exchange} ${symbol}`;
  const known = db.knownInstruments.get(name);
  if (known !== undefined) return known;
  const id = await db.readers.run((handle) => instrumentIdOf(handle, exchange, symbol));
  if (id !== null) db.knownInstruments.set(name, id);
  return id;
}

/** Whether anything was ever stored of it. */
export const hasInstrument = async (db: Database, exchange: string, symbol: string): Promise<boolean> =>
  (await knownInstrument(db, exchange, symbol)) !== null;

/** The newest and oldest trade come from either end of an index, whatever lies between. */
const selectInstruments = (handle: Handle) => {
  const edge = (direction: 'asc' | 'desc') => {
    const order = direction === 'asc' ? sql`${trade.ts} asc` : sql`${trade.ts} desc`;
    return sql<
      string | null
    >`(select ${trade.ts} from ${trade} where ${trade.instrumentId} = ${instrument.id} order by ${order} limit 1)`;
  };
  return handle
    .select({
      id: instrument.id,
      exchange: instrument.exchange,
      symbol: instrument.symbol,
      kind: instrument.kind,
      firstTradeAt: edge('asc'),
      lastTradeAt: edge('desc'),
    })
    .from(instrument)
    .$dynamic();
};

type Selected = Awaited<ReturnType<typeof selectInstruments>>[number];

const toInstrumentRow = (row: Selected): InstrumentRow => ({
  ...row,
  kind: row.kind === 'account' ? 'account' : 'market',
  firstTradeAt: row.firstTradeAt === null ? null : new Date(row.firstTradeAt),
  lastTradeAt: row.lastTradeAt === null ? null : new Date(row.lastTradeAt),
});
