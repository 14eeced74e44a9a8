import type { Interval } from './interval.ts';
import { countAt, eachFill, fillAt, type Tape } from './tape.ts';

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

/** Where folding `candle` ends when `count` trades have happened. */
const candleEnd = (tape: Tape, candle: TapeCandle, count: number): number =>
  Math.max(candle.next, Math.min(count, countAt(tape, candle.closeTime - 1)));

/** The candle after the trades up to place `count` (exclusive); trades after its close are left out. Folding in steps gives the same. */
export function foldCandle(tape: Tape, candle: TapeCandle, count: number): TapeCandle {
  const end = candleEnd(tape, candle, count);
  if (end === candle.next) return candle;
  let { open, high, low, close, lots, quote, buyLots, buyQuote } = candle;
  let [chunk, buyChunk] = [0, 0]; // exact below 2^53; emptied into the bigint before that
  if (candle.next === candle.first) [open, high, low] = [fillAt(tape, candle.first).ticks, 0, Number.POSITIVE_INFINITY];
  eachFill(tape, candle.next, end, (fill) => {
    const amount = fill.ticks * fill.lots;
    high = Math.max(high, fill.ticks);
    low = Math.min(low, fill.ticks);
    close = fill.ticks;
    lots += fill.lots;
    if (chunk + amount > Number.MAX_SAFE_INTEGER) {
      quote += BigInt(chunk);
      buyQuote += BigInt(buyChunk);
      chunk = 0;
      buyChunk = 0;
    }
    chunk += amount;
    if (!fill.buy) return;
    buyLots += fill.lots;
    buyChunk += amount;
  });
  quote += BigInt(chunk);
  buyQuote += BigInt(buyChunk);
  return { ...candle, next: end, open, high, low, close, lots, quote, buyLots, buyQuote };
}

/** The candle that opens at `openTime`, from all of its trades. Costs one step per trade. */
export const candleAt = (tape: Tape, interval: Interval, openTime: number): TapeCandle =>
  foldCandle(tape, emptyCandle(tape, interval, openTime), Number.MAX_SAFE_INTEGER);

/** Trades added up at once, so that a long candle of a busy tape does not hold up the sockets when it is opened. */
const AT_ONCE = 100_000;

/** A candle that follows its tape. */
export class RunningCandle {
  readonly #tape: Tape;
  candle: TapeCandle;

  constructor(tape: Tape, candle: TapeCandle) {
    this.#tape = tape;
    this.candle = candle;
  }

  /** Adds trades up to place `count` (exclusive); false while there are too many for one time. */
  catchUp(count: number): boolean {
    this.candle = foldCandle(this.#tape, this.candle, Math.min(count, this.candle.next + AT_ONCE));
    return this.candle.next === candleEnd(this.#tape, this.candle, count);
  }
}
