import type { DataType } from './data-type.ts';

/**
 * What is known of a stretch of a stream.
 * PROVEN: everything the exchange made is stored. UNPROVEN: what came is stored, and nothing says whether more was made.
 * GAP: something is missing and is, or will be, fetched. BACKFILLED: it was missing and was fetched.
 * UNFILLABLE: it is missing for good; the cause says why.
 */
export const COVERAGE_STATUSES = ['PROVEN', 'UNPROVEN', 'GAP', 'BACKFILLED', 'UNFILLABLE'] as const;
export type CoverageStatus = (typeof COVERAGE_STATUSES)[number];

/** What a status rests on, the strongest first. */
export const COVERAGE_EVIDENCE = [
  /** Trade ids without a hole. */
  'TRADE_ID_CONTIGUITY',
  /** Every message named the one before it. */
  'SEQUENCE_CHAIN',
  /** Compared with the exchange's own record. */
  'REST_RECONCILED',
  /** The connection stood, nothing more. */
  'CONNECTION_ONLY',
] as const;
export type CoverageEvidence = (typeof COVERAGE_EVIDENCE)[number];

/** Consecutive trade ids, both ends included. */
export interface IdRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Which stream of which market. */
export interface StreamKey {
  readonly exchange: string;
  readonly symbol: string;
  readonly dataType: DataType;
}

/**
 * A stretch of one stream of which one thing is known, as it is stored. Stretches of a stream never overlap.
 * `first` and `last` are trade ids where ids are without holes, else times of our clock in ms, as are `from` and `to` then.
 */
export interface Stretch extends IdRange {
  readonly status: CoverageStatus;
  readonly evidence: CoverageEvidence;
  /** Exchange times, ms, of the first and the last thing stored in it; of a stretch without any, of its neighbours. */
  readonly from: number;
  readonly to: number;
  /** Things stored in it: fills of trades, else messages. */
  readonly actual: number;
  /** Why something is missing, in words; null where nothing is. */
  readonly cause: string | null;
  /** First id of the gap it is, or was, a part of; null for what never was one. */
  readonly gap: bigint | null;
  /** When that gap was found, ms; null without one. */
  readonly gapFoundAt: number | null;
}

/** Things a stretch of ids stands for. */
export const sizeOf = ({ first, last }: IdRange): bigint => last - first + 1n;

/** A stretch of trades and the market it belongs to. */
export interface MarketStretch extends Stretch {
  readonly exchange: string;
  readonly symbol: string;
}

/** What the books of a stream without ids say from a time on, ms: these stretches, ascending, and nothing else. */
export interface StreamTail extends StreamKey {
  readonly from: bigint;
  readonly stretches: readonly Stretch[];
}

/** What became of the stretch of a market that begins at `first`; null: nothing begins there any more. */
export interface StretchChange {
  readonly exchange: string;
  readonly symbol: string;
  readonly first: bigint;
  readonly stretch: Stretch | null;
}
