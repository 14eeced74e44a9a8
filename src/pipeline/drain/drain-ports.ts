import type { MarketStretch } from '../../market/coverage.ts';
import type { RecordedTrade } from '../../market/recorded-trade.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { NumberedTrade } from '../../storage/trade-batch.ts';
import type { TradeCommit } from '../../storage/trade-writer.ts';
import type { HasTradeIds } from '../intake/fold-trades.ts';
import type { TradeLedgers } from '../ledger/trade-ledgers.ts';
import type { LedgerWord } from '../spool/spool-batch.ts';
import type { SpoolPort } from '../spool/spool-port.ts';

/**
 * Where trades and their ledger are committed. Errors whose code says `retry` mean that the same may be committed later; any other
 * says that a row never will be, and must not be thrown for a database that is merely away, full or read-only.
 */
export interface TradeStore {
  readonly writer: number;
  readonly position: bigint;
  write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }>;
  /** Makes ahead what `write` will send of these trades, the very list; whatever fails, `write` meets it again. */
  prepare(trades: readonly NumberedTrade[]): Promise<void>;
  /** What the ledger says in the database. */
  load(): Promise<readonly MarketStretch[]>;
  /** Keeps a row that cannot be stored, for people. */
  quarantine(row: { readonly what: string; readonly reason: string; readonly row: string }): Promise<void>;
}

export interface DrainPorts {
  readonly spool: SpoolPort;
  readonly store: TradeStore;
  readonly hasTradeIds: HasTradeIds;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `through`: there is no other trade of ours up to this number; null where that follows from the numbers themselves. */
  publish(trades: readonly RecordedTrade[], through: bigint | null): void;
  /** Whether another server writes to the same database: then only what was committed as ours may be shown. */
  shared(): boolean;
  /** A row was refused for good: the ids it stands for are missing. False: it was not heard and has to be said again. */
  refused(word: LedgerWord): boolean;
  /** What intake takes for known is no longer so: it shall begin anew from what `build` gives. */
  rebase(build: () => Promise<TradeLedgers>): void;
}

/** A row that storage will never take. */
export interface RefusedRow {
  readonly what: string;
  readonly reason: string;
  /** ms since the Unix epoch. */
  readonly at: number;
}

export interface DrainStatus {
  /** Durable here and not committed yet. */
  readonly spooled: number;
  /** Batches of them, and of words about trades. */
  readonly batches: number;
  /** Since the oldest of them was recorded, ms; null when there is none. */
  readonly oldestMs: number | null;
  readonly stored: number;
  readonly refused: number;
  readonly refusedSample: readonly RefusedRow[];
  readonly commitMs: { readonly last: number; readonly average: number } | null;
  /** Null while the database takes what it is given; else since when (monotonic ms) it does not. */
  readonly waitingSince: number | null;
  readonly lastError: { readonly message: string; readonly at: number } | null;
}

/** A batch an earlier process left in the spool. */
export interface LeftBatch {
  readonly number: number;
  readonly trades: number;
  /** When the first of them was recorded, ms; null without trades. */
  readonly recordedAt: number | null;
}
