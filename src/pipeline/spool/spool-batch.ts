import type { IdRange } from '../../market/coverage.ts';
import type { NumberedTrade } from '../../storage/trade-batch.ts';

/** What else is said of trades: ids that never come, or that shall be fetched. */
export type LedgerWord =
  | {
      readonly kind: 'give-up';
      readonly exchange: string;
      readonly symbol: string;
      readonly range: IdRange;
      readonly cause: string;
      readonly now: number;
      /** They were taken for stored, and the database refused them. */
      readonly wasTaken: boolean;
    }
  | {
      readonly kind: 'declare';
      readonly exchange: string;
      readonly symbol: string;
      readonly range: IdRange;
      readonly about: { readonly from: number; readonly to: number; readonly cause: string };
      readonly now: number;
    };

export type SpoolItem = { readonly kind: 'trade'; readonly recorded: NumberedTrade } | LedgerWord;

/** What one append makes durable: items in the order in which they happened. */
export interface SpoolBatch {
  /** Grows by one with each batch. */
  readonly number: number;
  /** The last sequence of the writer after it. */
  readonly last: bigint;
  readonly items: readonly SpoolItem[];
}

export function tradesOf(items: readonly SpoolItem[]): readonly NumberedTrade[] {
  const trades: NumberedTrade[] = []; // not flatMap: every trade comes by here several times
  for (const item of items) if (item.kind === 'trade') trades.push(item.recorded);
  return trades;
}
