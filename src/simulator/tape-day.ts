import { countAt, fillAt, type Tape } from './tape.ts';

/** The rolling 24 hours before a moment, in the units of the tape. */
export interface Day {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly lots: bigint;
  readonly quote: bigint;
  readonly trades: number;
}

export const DAY_MS = 86_400_000;
const SAMPLES = 48;

/**
 * Rolling figures at `time`, given that `count` trades have happened. Exact are open and trades; high and low come from
 * 48 trades spread over the day and the newest, volumes from the mean of those: a day may hold a billion trades.
 */
export function dayAt(tape: Tape, time: number, count: number): Day {
  const first = countAt(tape, time - DAY_MS);
  const last = Math.max(0, count - 1);
  const trades = Math.max(0, count - first);
  const open = fillAt(tape, Math.min(first, last)).ticks;
  let [high, low, lots] = [open, open, 0];
  for (let i = 0; i <= SAMPLES; i += 1) {
    const fill = fillAt(tape, Math.min(last, first + Math.floor((trades * i) / SAMPLES)));
    high = Math.max(high, fill.ticks);
    low = Math.min(low, fill.ticks);
    lots += fill.lots;
  }
  const volume = (BigInt(lots) * BigInt(trades)) / BigInt(SAMPLES + 1);
  return { open, high, low, lots: volume, quote: volume * BigInt(Math.floor((high + low) / 2)), trades };
}
