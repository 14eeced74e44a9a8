import type { CoverageStatus, IdRange } from './coverage.ts';
import type { DataType } from './data-type.ts';

/** A stretch that is open: its trades are to be fetched. */
export interface OpenGap extends IdRange {
  readonly exchange: string;
  readonly symbol: string;
  /** First id of the gap as it was found; a gap that is filled from the middle has several stretches of one name. */
  readonly gap: bigint;
  /** ms since the Unix epoch. */
  readonly gapFoundAt: number;
  /** Exchange times, ms, of the trades beside it. */
  readonly from: number;
  readonly to: number;
  /** In words. */
  readonly cause: string;
}

/** A gap as people see it, whatever became of its parts. */
export interface Gap {
  readonly exchange: string;
  readonly symbol: string;
  readonly dataType: DataType;
  /** First and last id as it was found, both included; ms for streams without ids. */
  readonly first: bigint;
  readonly last: bigint;
  readonly foundAt: number;
  /** Exchange times, ms, of what stands beside it; for streams without ids `first` and `last`. */
  readonly from: number;
  readonly to: number;
  readonly cause: string | null;
  /** GAP while anything of it is open; UNFILLABLE once closed with something missing for good, else BACKFILLED. */
  readonly status: Extract<CoverageStatus, 'GAP' | 'BACKFILLED' | 'UNFILLABLE'>;
  /** Trades missing when it was found; of them `filled` are here now and `unfillable` never will be. 0 for streams without ids. */
  readonly expected: bigint;
  readonly filled: bigint;
  readonly unfillable: bigint;
}

/** What whoever fetches missing trades needs to know of them, and may say. */
export interface GapLedger {
  /** The open stretches of one market, newest first. */
  openGaps(exchange: string, symbol: string): readonly OpenGap[];
  /** First and last id known of a market; null when none is. */
  known(exchange: string, symbol: string): IdRange | null;
  /**
   * These ids are missing for good, for the reason given. What of them is here stays as it is. False: too much waits, and the gap
   * stays open until it is said again.
   */
  giveUp(exchange: string, symbol: string, range: IdRange, cause: string): boolean;
  /**
   * Ids of which nothing is known, and those that were given up, become a gap to be filled; returns how many. Times are those of the trades asked for, ms.
   * Repeating changes nothing.
   * @throws {AppError} BACKFILL_REFUSED while too much waits.
   */
  declare(
    exchange: string,
    symbol: string,
    range: IdRange,
    about: { readonly from: number; readonly to: number; readonly cause: string },
  ): bigint;
  /** Resolves when all that was accepted so far is durable and in the ledger. */
  settled(): Promise<void>;
  /** Told of each gap whenever it was found, shrank or closed. */
  onChange(listener: (gap: Gap) => void): Disposable;
}
