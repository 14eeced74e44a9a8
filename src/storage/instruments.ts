import type { Database } from './database.ts';

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

export type InstrumentKind = 'market' | 'account';

/** Makes the instrument unless it is there and returns its id. Repeating changes nothing. */
export function upsertInstrument(
  _db: Database,
  _exchange: string,
  _symbol: string,
  _kind: InstrumentKind,
): Promise<number> {
  throw new Error('to come');
}

export function findInstrument(_db: Database, _exchange: string, _symbol: string): Promise<InstrumentRow | null> {
  throw new Error('to come');
}

/** Markets (not accounts) by exchange and symbol. */
export function listInstruments(
  _db: Database,
  _query: {
    readonly exchange: string | null;
    readonly limit: number;
    readonly after: { readonly exchange: string; readonly symbol: string } | null;
  },
): Promise<{ readonly instruments: readonly InstrumentRow[]; readonly hasMore: boolean }> {
  throw new Error('to come');
}
