import type { CandleInterval, CandleWindow } from './candle-window.ts';
import type { CoverageInterval } from './coverage-intervals.ts';
import { type Decimal, divideDecimals, type Quotient, quotientOf } from './decimal.ts';

/** What the trades of a window come to. Ties within a millisecond are ordered by the exchange's trade id. */
export interface CandleValues {
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  /** In base currency. */
  readonly volume: Decimal;
  /** In quote currency: price times size, exactly. */
  readonly quoteVolume: Decimal;
  /** Of `volume`, what takers bought. */
  readonly buyVolume: Decimal;
  /** Fills. */
  readonly tradeCount: number;
  /** When the newest of its trades was recorded, ms. */
  readonly recordedAt: number;
  /** How often trades came after it was closed, each time in one recording. */
  readonly revision: number;
}

/** Digits after the point of a volume-weighted mean price. */
export const VWAP_PLACES = 12;

/** The volume-weighted mean price, rounded; null without volume. */
export const vwapOf = ({ quoteVolume, volume }: CandleValues): Decimal | null =>
  divideDecimals(quoteVolume, volume, VWAP_PLACES);

/** The same in numbers, where they are small enough; else null. */
export const smallVwapOf = ({ quoteVolume, volume }: CandleValues): Quotient | null =>
  quotientOf(quoteVolume, volume, VWAP_PLACES);

/** A window, and what was traded in it: null where nothing was. */
export interface TradedWindow extends CandleWindow {
  readonly values: CandleValues | null;
}

/** A trade may be recorded this much after the end of its candle and not count as a revision, ms. */
export const GRACE_MS = 2_000;

/** FORMING: its time is not over. PROVISIONAL: it is, and trades may be missing. FINAL: nothing is missing, so nothing will change. */
export type CandleState = 'FORMING' | 'PROVISIONAL' | 'FINAL';

/**
 * COMPLETE: every trade of its time is in it. UNPROVEN: nothing says whether more was made. PARTIAL: trades are known to be missing.
 * MISSING: of its time there is no trade, and some are known to be missing: an outage, not a quiet market.
 */
export type CandleCompleteness = 'COMPLETE' | 'UNPROVEN' | 'PARTIAL' | 'MISSING';

export interface Candle extends TradedWindow {
  readonly exchange: string;
  readonly symbol: string;
  readonly interval: CandleInterval;
  readonly state: CandleState;
  readonly completeness: CandleCompleteness;
  /** How much of its time is proven or was fetched, 0 to 1. */
  readonly coverageRatio: number;
  /** From when on it could be seen as it is, ms; never before its end. Null while it is forming. */
  readonly availableAt: number | null;
}

export interface Completeness {
  readonly completeness: CandleCompleteness;
  readonly coverageRatio: number;
}

/**
 * What the ledger says of each window. Both ascend; the intervals are contiguous and reach over all windows. An interval
 * without time belongs to the millisecond before it, which it shares.
 */
export function completenessOf(
  windows: readonly TradedWindow[],
  intervals: readonly CoverageInterval[],
): readonly Completeness[] {
  let place = 0;
  return windows.map(({ openTime, closeTime, values }) => {
    while ((intervals[place]?.to ?? closeTime) < openTime) place += 1;
    let [covered, isMissing] = [0, false];
    for (let at = place; at < intervals.length; at += 1) {
      const { status, from, to } = intervals[at] as CoverageInterval;
      if (from > closeTime) break;
      const [begin, end] = [Math.max(from, openTime), Math.min(to, closeTime)];
      if (status === 'PROVEN' || status === 'BACKFILLED') covered += Math.max(0, end - begin);
      else if (status !== 'UNPROVEN' && (begin < end || (from === to && from > openTime))) isMissing = true;
    }
    const coverageRatio = covered / (closeTime - openTime);
    if (isMissing) return { completeness: values === null ? 'MISSING' : 'PARTIAL', coverageRatio };
    return { completeness: covered === closeTime - openTime ? 'COMPLETE' : 'UNPROVEN', coverageRatio };
  });
}

/** The market a candle is of, and its length. */
export type CandleKey = Pick<Candle, 'exchange' | 'symbol' | 'interval'>;

/** A window as people see it. `isOver`: its time is, by the clock or by the trades of the market. */
export function candleOf(
  { exchange, symbol, interval }: CandleKey,
  { openTime, closeTime, values }: TradedWindow,
  { completeness, coverageRatio }: Completeness,
  isOver: boolean,
): Candle {
  const state = isOver ? (completeness === 'COMPLETE' ? 'FINAL' : 'PROVISIONAL') : 'FORMING';
  const availableAt = isOver ? Math.max(closeTime, values?.recordedAt ?? 0) : null;
  // Named one by one: spreading took a tenth of a page's time.
  return { exchange, symbol, interval, openTime, closeTime, values, state, completeness, coverageRatio, availableAt };
}
