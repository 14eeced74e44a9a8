import type { CandlePorts } from '../../src/candles/candles-request.ts';
import type { Stretch } from '../../src/market/coverage.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { candleByHand, type Recorded } from './candle-by-hand.ts';

/** Candles of trades of one market kept in memory, each computed anew by its definition. */
export const memoryCandles = (
  recorded: () => readonly Recorded[],
  stretches: () => readonly Stretch[],
  clock: Clock,
): CandlePorts => ({
  clock,
  listStretches: async () => stretches(),
  readCandles: async ({ exchange, symbol, windows, ...how }) => {
    const own = recorded().filter(({ trade }) => trade.exchange === exchange && trade.symbol === symbol);
    return windows.map((window) => ({ ...window, values: candleByHand(own, window, how) }));
  },
  listRecordedRuns: async ({ first, last, asOf }) =>
    recorded()
      .filter(({ trade: { tradeId } }) => BigInt(tradeId) >= first && BigInt(tradeId) <= last)
      .sort((a, b) => (BigInt(a.trade.tradeId) < BigInt(b.trade.tradeId) ? -1 : 1))
      .map(({ trade: { tradeId, exchangeTime, fillCount }, recordedAt }) => ({
        ...{ isLate: recordedAt > asOf, first: BigInt(tradeId) - BigInt(fillCount - 1), last: BigInt(tradeId) },
        ...{ from: exchangeTime, to: exchangeTime, actual: fillCount },
      })),
  nearestTrade: async ({ exchange, symbol, time, direction, endInclusive, asOf }) => {
    const edge = time + (endInclusive ? 1 : 0);
    const there = recorded()
      .filter(({ trade }) => trade.exchange === exchange && trade.symbol === symbol)
      .filter(({ recordedAt }) => asOf === null || recordedAt <= asOf)
      .map(({ trade }) => trade)
      .filter(({ exchangeTime }) => (direction === 'before' ? exchangeTime < edge : exchangeTime >= edge))
      .sort((a, b) => a.exchangeTime - b.exchangeTime || (BigInt(a.tradeId) < BigInt(b.tradeId) ? -1 : 1));
    const trade = direction === 'before' ? there.at(-1) : there[0];
    return trade ? { time: trade.exchangeTime, price: trade.price } : null;
  },
});
