import type { Interval } from './interval.ts';
import { countAt, fillAt, type Tape } from './tape.ts';

/** A candle of the tape, in its units; quote volumes are ticks x lots. Covers trades `first` to `next` - 1. */
export interface TapeCandle {
  readonly openTime: number;
  /** Exclusive. */
  readonly closeTime: number;
  readonly first: number;
  readonly next: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly lots: number;
  readonly quote: bigint;
  readonly buyLots: number;
  readonly buyQuote: bigint;
}

/** Before its first trade: flat at the price of the last trade before it, as exchanges print quiet intervals. */
export function emptyCandle(tape: Tape, interval: Interval, openTime: number): TapeCandle {
  const first = countAt(tape, openTime - 1);
  const flat = fillAt(tape, Math.max(0, first - 1)).ticks;
  return {
    openTime,
    closeTime: interval.closeOf(openTime),
    first,
    next: first,
    open: flat,
    high: flat,
    low: flat,
    close: flat,
    lots: 0,
    quote: 0n,
    buyLots: 0,
    buyQuote: 0n,
  };
}

/** The candle after the trades up to place `count` (exclusive); trades after its close are left out. Folding in steps gives the same. */
export function foldCandle(tape: Tape, candle: TapeCandle, count: number): TapeCandle {
  const end = Math.min(count, countAt(tape, candle.closeTime - 1));
  if (end <= candle.next) return candle;
  let { open, high, low, close, lots, quote, buyLots, buyQuote } = candle;
  let [chunk, buyChunk] = [0, 0]; // exact below 2^53; emptied into the bigint before that
  for (let k = candle.next; k < end; k += 1) {
    const fill = fillAt(tape, k);
    const amount = fill.ticks * fill.lots;
    if (k === candle.first) [open, high, low] = [fill.ticks, fill.ticks, fill.ticks];
    high = Math.max(high, fill.ticks);
    low = Math.min(low, fill.ticks);
    close = fill.ticks;
    lots += fill.lots;
    if (fill.buy) buyLots += fill.lots;
    if (chunk + amount > Number.MAX_SAFE_INTEGER) {
      [quote, buyQuote] = [quote + BigInt(chunk), buyQuote + BigInt(buyChunk)];
      [chunk, buyChunk] = [0, 0];
    }
    chunk += amount;
    if (fill.buy) buyChunk += amount;
  }
  [quote, buyQuote] = [quote + BigInt(chunk), buyQuote + BigInt(buyChunk)];
  return { ...candle, next: end, open, high, low, close, lots, quote, buyLots, buyQuote };
}

/** The candle that opens at `openTime`, from all of its trades. Costs one step per trade. */
export const candleAt = (tape: Tape, interval: Interval, openTime: number): TapeCandle =>
  foldCandle(tape, emptyCandle(tape, interval, openTime), Number.MAX_SAFE_INTEGER);
