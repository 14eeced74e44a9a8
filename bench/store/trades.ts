import type { Decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';

/** Exchange time of the first trade, inside one month. */
export const START = Date.UTC(2026, 10, 10);
const A_SECOND = 5_000;
const FIRST_ID = 1_040_968_613;

/** What a process under test stores. */
export interface StorePlan {
  readonly url: string;
  readonly instruments: number;
  /** Stored before the measured ones, so that nobody is measured while its code is compiled. */
  readonly warmUp: number;
  readonly rows: number;
}

/** What it says when everything is committed. */
export interface Stored {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

export const symbolOf = (instrument: number): string => (instrument === 0 ? 'BTC-USDT' : `C${instrument}-USDT`);

/** Market by market in turn, 5,000 a second, each with ids of its own and none left out. The same for everybody. */
export function makeTrades({ instruments, warmUp, rows }: StorePlan): readonly Trade[] {
  return Array.from({ length: warmUp + rows }, (_, k) => {
    const instrument = k % instruments;
    const exchangeTime = START + Math.floor((k * 1_000) / A_SECOND);
    return {
      ...{ kind: 'trade', exchange: 'okx', symbol: symbolOf(instrument), exchangeTime, receivedAt: exchangeTime + 12 },
      ...{ tradeId: String(FIRST_ID + instrument * 10_000_000 + Math.floor(k / instruments)), fillCount: 1 },
      ...{ price: (64_040 + (k % 997) / 10).toFixed(1) as Decimal },
      ...{ size: ((k % 8_999) / 1e5 + 0.00001).toFixed(8) as Decimal, side: k % 3 === 0 ? 'buy' : 'sell', raw: null },
    };
  });
}
