import type { Candle } from './candle.ts';
import { compareDecimals, type Decimal, isZero } from './decimal.ts';
import type { ExchangeCandle } from './market-event.ts';

/** What is compared, in the order it is told. */
export const COMPARED_FIELDS = ['open', 'high', 'low', 'close', 'volume', 'quoteVolume', 'tradeCount'] as const;
export type ComparedField = (typeof COMPARED_FIELDS)[number];

/**
 * OURS_INCOMPLETE: trades of ours are known to be missing. THEIRS_DIFFERS: every trade is here, by proof, and theirs says otherwise.
 * UNDECIDED: nothing says whether ours has every trade.
 */
export const CANDLE_VERDICTS = ['OURS_INCOMPLETE', 'THEIRS_DIFFERS', 'UNDECIDED'] as const;
export type CandleVerdict = (typeof CANDLE_VERDICTS)[number];

/** A candle that the exchange printed otherwise than its trades say. */
export interface CandleDifference {
  readonly ours: Candle;
  readonly theirs: ExchangeCandle;
  readonly fields: readonly ComparedField[];
  readonly verdict: CandleVerdict;
}

export interface CandleComparison {
  /** Of which both are here; those that are not in `differences` are equal. */
  readonly compared: number;
  readonly onlyOurs: number;
  readonly onlyTheirs: number;
  /** Ascending. */
  readonly differences: readonly CandleDifference[];
}

/**
 * Our candles beside the exchange's own of the same ends, exactly; trailing zeros do not matter. Exchanges print quiet intervals as flat
 * candles without volume: such a one equals ours without prices. Of an interval in which we have no trade, and no proof that there was
 * none, there is nothing of ours to compare a traded candle with.
 */
export function compareCandles(ours: readonly Candle[], theirs: ReadonlyMap<number, ExchangeCandle>): CandleComparison {
  const differences: CandleDifference[] = [];
  let [compared, onlyOurs, onlyTheirs] = [0, 0, 0];
  for (const own of ours) {
    const their = theirs.get(own.closeTime);
    const isHere = own.values !== null || own.completeness !== 'UNPROVEN';
    if (their === undefined) {
      if (own.values !== null || own.completeness === 'COMPLETE') onlyOurs += 1;
      continue;
    }
    const fields = differingFields(own, their);
    if (fields.length > 0 && !isHere) {
      onlyTheirs += 1;
      continue;
    }
    compared += 1;
    if (fields.length > 0) differences.push({ ours: own, theirs: their, fields, verdict: VERDICTS[own.completeness] });
  }
  return { compared, onlyOurs, onlyTheirs, differences };
}

const VERDICTS = {
  COMPLETE: 'THEIRS_DIFFERS',
  UNPROVEN: 'UNDECIDED',
  PARTIAL: 'OURS_INCOMPLETE',
  MISSING: 'OURS_INCOMPLETE',
} as const satisfies Record<Candle['completeness'], CandleVerdict>;

function differingFields({ symbol, values }: Candle, theirs: ExchangeCandle): readonly ComparedField[] {
  const told = COMPARED_FIELDS.filter((field) => isTold(field, symbol, theirs));
  if (values === null) return isZero(theirs.volume) ? [] : told;
  return told.filter((field) =>
    field === 'tradeCount'
      ? theirs.tradeCount !== values.tradeCount
      : compareDecimals(values[field], theirs[field] as Decimal) !== 0,
  );
}

/** Sizes of derivatives are contracts, so price times size is not what the exchange calls their quote volume. */
function isTold(field: ComparedField, symbol: string, theirs: ExchangeCandle): boolean {
  return theirs[field] !== null && (field !== 'quoteVolume' || symbol.split('-').length === 2);
}

/** A difference in a sentence. */
export function inWords({ ours, fields, verdict }: CandleDifference): string {
  const covered = `${Math.floor(ours.coverageRatio * 100)} % of its time is covered`;
  const what = `the exchange's candle differs in ${fields.join(', ')}`;
  switch (verdict) {
    case 'OURS_INCOMPLETE':
      return `Trades of ours are known to be missing (${ours.completeness}, ${covered}): ${what}`;
    case 'THEIRS_DIFFERS':
      return `Every trade of it is here, by proof, and ${what}`;
    case 'UNDECIDED':
      return `Nothing says whether all its trades are here (${covered}): ${what}`;
    default:
      return verdict satisfies never;
  }
}
