import { countAt, type Tape, tradeIdAt } from './tape.ts';

/** What became of one instrument so far: enough to compute exactly what a collector must have stored. */
export interface MarketState {
  readonly symbol: string;
  readonly nativeSymbol: string;
  /** Trades that have happened since the start of the tape; the newest is at place `count` - 1. */
  readonly count: number;
  readonly lastTradeId: string | null;
  /** From the first to the last trade put on any socket (also those that faults withheld); null before the first. */
  readonly sentRange: {
    readonly first: number;
    readonly last: number;
    readonly firstTradeId: string;
    readonly lastTradeId: string;
  } | null;
}

/** After a stall longer than this many trades, a socket goes on with the newest; REST has the others. */
const CATCH_UP_TRADES = 200_000;

/** One instrument as time goes by. */
export class Market {
  readonly tape: Tape;
  /** Trades that have happened; moves only on ticks, so all topics of one tick agree. */
  count: number;
  #sent: { first: number; last: number } | null = null;

  constructor(tape: Tape, now: number) {
    this.tape = tape;
    this.count = countAt(tape, now);
  }

  advance(now: number): void {
    this.count = Math.max(this.count, countAt(this.tape, now));
  }

  /** The place to go on from, for a topic that last sent the trade before `next`. */
  from(next: number): number {
    return Math.max(next, this.count - CATCH_UP_TRADES);
  }

  noteSent(trades: { readonly first: number; readonly last: number }): void {
    if (this.#sent === null) this.#sent = { ...trades };
    this.#sent.first = Math.min(this.#sent.first, trades.first);
    this.#sent.last = Math.max(this.#sent.last, trades.last);
  }

  state(): MarketState {
    const { symbol, nativeSymbol } = this.tape.instrument;
    const sent = this.#sent;
    return {
      symbol,
      nativeSymbol,
      count: this.count,
      lastTradeId: this.count === 0 ? null : tradeIdAt(this.tape, this.count - 1),
      sentRange:
        sent === null
          ? null
          : { ...sent, firstTradeId: tradeIdAt(this.tape, sent.first), lastTradeId: tradeIdAt(this.tape, sent.last) },
    };
  }
}
