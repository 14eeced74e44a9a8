import type { CoverageStatus } from '../../src/market/coverage.ts';
import type { Direct } from './direct.ts';

/** A trade as it lies in its table. */
export interface StoredTrade {
  readonly symbol: string;
  readonly writer: number;
  readonly sequence: bigint;
  /** Of the last fill. */
  readonly tradeId: string;
  readonly fillCount: number;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  /** Exchange time, ms; not whole when something finer is stored. */
  readonly time: number;
  /** Whether it came over REST. */
  readonly fetched: boolean;
}

/** A row of the coverage ledger. */
export interface StoredStretch {
  readonly symbol: string;
  readonly writer: number;
  readonly first: bigint;
  readonly last: bigint;
  readonly status: CoverageStatus;
  readonly evidence: string;
  readonly actual: number;
  readonly cause: string | null;
}

export interface Stored {
  readonly trades: readonly StoredTrade[];
  readonly stretches: readonly StoredStretch[];
}

const TRADES = `
  select i.symbol, t.id::text, t.trade_id, t.fill_count, t.price::text, t.size::text, t.side::text, t.provenance::text,
    (extract(epoch from t.ts) * 1000)::text as time
  from tcp_dashboard.trade t join tcp_dashboard.instrument i on i.id = t.instrument_id
  where i.exchange = $1 order by t.id`;

const STRETCHES = `
  select i.symbol, c.writer, c.first::text, c.last::text, c.status, c.evidence, c.actual::text, c.cause
  from tcp_dashboard.coverage c join tcp_dashboard.instrument i on i.id = c.instrument_id
  where i.exchange = $1 and c.data_type = 'trade' order by i.symbol, c.writer, c.first`;

/** Everything stored of the trades of one exchange, and what is said of it, as of one moment. */
export async function readStored(database: Direct, exchange: string): Promise<Stored> {
  await database.query('begin isolation level repeatable read read only');
  try {
    return await readWithin(database, exchange);
  } finally {
    await database.query('rollback');
  }
}

/** As `readStored`, in the transaction the connection is in. */
export async function readWithin(database: Direct, exchange: string): Promise<Stored> {
  const trades = await database.query<Record<string, string>>(TRADES, [exchange]);
  const stretches = await database.query<Record<string, string | null>>(STRETCHES, [exchange]);
  return {
    trades: trades.map((row) => {
      const id = BigInt(row.id ?? 0);
      return {
        symbol: row.symbol ?? '',
        writer: Number(id >> 48n),
        sequence: id & (2n ** 48n - 1n),
        tradeId: row.trade_id ?? '',
        fillCount: Number(row.fill_count),
        price: row.price ?? '',
        size: row.size ?? '',
        side: row.side === 'b' ? 'buy' : row.side === 's' ? 'sell' : String(row.side),
        time: Number(row.time),
        fetched: row.provenance !== 'l',
      };
    }),
    stretches: stretches.map((row) => ({
      symbol: row.symbol ?? '',
      writer: Number(row.writer),
      first: BigInt(row.first ?? 0),
      last: BigInt(row.last ?? 0),
      status: row.status as CoverageStatus,
      evidence: row.evidence ?? '',
      actual: Number(row.actual),
      cause: row.cause ?? null,
    })),
  };
}
