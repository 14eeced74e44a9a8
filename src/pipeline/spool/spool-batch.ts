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

/** A trade among what happened: one object, as of these more are alive than of anything else. */
export interface SpooledTrade extends NumberedTrade {
  readonly kind: 'trade';
}

export type SpoolItem = SpooledTrade | LedgerWord;

/** What one append makes durable: items in the order in which they happened. */
export interface SpoolBatch {
  /** Grows by one with each batch. */
  readonly number: number;
  /** The last sequence of the writer after it. */
  readonly last: bigint;
  readonly items: readonly SpoolItem[];
}

/** Nearly always there is nothing else among them, and they are these very items: every trade comes by here several times. */
export const tradesOf = (items: readonly SpoolItem[]): readonly SpooledTrade[] =>
  items.every(isTrade) ? items : items.filter(isTrade);

const isTrade = (item: SpoolItem): item is SpooledTrade => item.kind === 'trade';
