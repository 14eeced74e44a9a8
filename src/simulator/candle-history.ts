import type { Interval } from './interval.ts';
import type { Tape } from './tape.ts';
import { emptyCandle, foldCandle, type TapeCandle } from './tape-candle.ts';

/** Trades that one request may add up, so that it never holds up the sockets for long. */
const TRADES_PER_REQUEST = 500_000;
const KEPT = 5_000;

/** Candles for REST, each closed one added up once. */
export class CandleHistory {
  readonly #closed = new Map<string, TapeCandle>();

  /** The candles that open at these times, when `count` trades have happened. Once too many trades are needed it stops, after one at least. */
  read(tape: Tape, interval: Interval, opens: Iterable<number>, count: number): readonly TapeCandle[] {
    const candles: TapeCandle[] = [];
    let left = TRADES_PER_REQUEST;
    for (const open of opens) {
      const key = `${tape.instrument.nativeSymbol} ${interval.name} ${open}`;
      const known = this.#closed.get(key);
      const empty = known ?? emptyCandle(tape, interval, open);
      left -= known === undefined ? (tape.milliRate / 1_000_000) * interval.ms : 0;
      if (left < 0 && candles.length > 0) break;
      const candle = known ?? foldCandle(tape, empty, count);
      candles.push(candle);
      if (known === undefined && candle.next < count) this.#keep(key, candle);
    }
    return candles;
  }

  #keep(key: string, candle: TapeCandle): void {
    const [oldest] = this.#closed.keys();
    if (this.#closed.size >= KEPT && oldest !== undefined) this.#closed.delete(oldest);
    this.#closed.set(key, candle);
  }
}
