/** What the exchange made: every trade a pure function of seed, market and place, so that anybody can say what should be stored. */
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';

export const EXCHANGE = 'okx';
export const SYMBOLS = ['BTC-USDT', 'ETH-USDT'] as const;
export const EPOCH = Date.UTC(2026, 0, 1);

export type Random = () => number;

/** Mulberry32: the whole of chance in a run comes from one number. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, bound: number): number => Math.floor(random() * bound);

/** The trades of one market. */
export class Tape {
  readonly symbol: string;
  readonly count: number;
  readonly #first: bigint;
  readonly #seed: number;
  readonly #spacingMs: number;
  readonly #quietAt: number;
  readonly #quietMs: number;

  constructor(seed: number, market: number) {
    const random = seeded(seed * 7_919 + market * 104_729 + 1);
    this.symbol = SYMBOLS[market] ?? SYMBOLS[0];
    this.#seed = seed * 2 + market;
    this.count = 30 + below(random, 71);
    this.#first = market === 0 ? 10n ** 17n + BigInt(below(random, 1_000)) : BigInt(1 + below(random, 1_000));
    this.#spacingMs = 40 + below(random, 700);
    this.#quietAt = below(random, this.count * 2);
    this.#quietMs = 2_000 + below(random, 40_000);
  }

  id(place: number): bigint {
    return this.#first + BigInt(place);
  }

  /** Outside 0..count-1 for what the exchange never made. */
  place(id: bigint | string): number {
    return Number(BigInt(id) - this.#first);
  }

  /** When it was made, ms since the epoch of the run. */
  madeAt(place: number): number {
    const jitter = seeded(this.#seed * 131 + place)() * this.#spacingMs;
    return Math.floor(place * this.#spacingMs + jitter) + (place >= this.#quietAt ? this.#quietMs : 0);
  }

  trade(place: number, receivedAt: number): Trade {
    const random = seeded(this.#seed * 8_191 + place * 17 + 3);
    return {
      ...{ kind: 'trade', exchange: EXCHANGE, symbol: this.symbol, raw: null, receivedAt },
      exchangeTime: EPOCH + this.madeAt(place),
      tradeId: String(this.id(place)),
      fillCount: 1,
      price: decimal((1 + random() * 90_000).toFixed(1 + below(random, 8))),
      size: decimal((random() * 10 + 0.00000001).toFixed(8)),
      side: random() < 0.5 ? 'buy' : 'sell',
    };
  }
}
