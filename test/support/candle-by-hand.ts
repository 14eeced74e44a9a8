import { type CandleValues, GRACE_MS } from '../../src/market/candle.ts';
import type { CandleWindow } from '../../src/market/candle-window.ts';
import { compareDecimals, type Decimal, decimal, decimalPlaces, scaled } from '../../src/market/decimal.ts';
import type { CandleBasis } from '../../src/market/growing-candle.ts';
import type { Trade } from '../../src/market/market-event.ts';

export interface Recorded {
  readonly trade: Trade;
  readonly recordedAt: number;
}

/** The candle as its definition says, one trade at a time; null where nothing was traded. */
export function candleByHand(
  all: readonly Recorded[],
  { openTime, closeTime }: CandleWindow,
  { endInclusive, asOf }: { readonly endInclusive: boolean; readonly asOf: number | null },
): CandleValues | null {
  const inside = all
    .filter(({ trade: { exchangeTime: time } }) =>
      endInclusive ? time > openTime && time <= closeTime : time >= openTime && time < closeTime,
    )
    .filter(({ recordedAt }) => asOf === null || recordedAt <= asOf)
    .sort(
      (a, b) =>
        a.trade.exchangeTime - b.trade.exchangeTime || (BigInt(a.trade.tradeId) < BigInt(b.trade.tradeId) ? -1 : 1),
    );
  const [first, last] = [inside[0], inside.at(-1)];
  if (!first || !last) return null;
  const prices = inside.map(({ trade }) => trade.price).sort(compareDecimals);
  const bought = inside.filter(({ trade }) => trade.side === 'buy');
  return {
    open: first.trade.price,
    high: prices.at(-1) as Decimal,
    low: prices[0] as Decimal,
    close: last.trade.price,
    volume: sum(inside.map(({ trade }) => [trade.size])),
    quoteVolume: sum(inside.map(({ trade }) => [trade.price, trade.size])),
    buyVolume: sum(bought.map(({ trade }) => [trade.size])),
    tradeCount: inside.reduce((total, { trade }) => total + trade.fillCount, 0),
    recordedAt: Math.max(...inside.map(({ recordedAt }) => recordedAt)),
    revision: new Set(inside.map(({ recordedAt }) => recordedAt).filter((time) => time > closeTime + GRACE_MS)).size,
  };
}

/** What a candle grows on from after these trades. */
export function basisByHand(own: readonly Recorded[], window: CandleWindow): CandleBasis | null {
  const values = candleByHand(own, window, { endInclusive: false, asOf: null });
  const places = own
    .map(({ trade }) => ({ time: trade.exchangeTime, tradeId: trade.tradeId }))
    .filter(({ time }) => time >= window.openTime && time < window.closeTime)
    .sort((a, b) => a.time - b.time || (BigInt(a.tradeId) < BigInt(b.tradeId) ? -1 : 1));
  const [first, last] = [places[0], places.at(-1)];
  return values && first && last ? { values, first, last } : null;
}

/** The newest exchange time of a symbol; -Infinity without a trade. */
export const newestByHand = (recorded: readonly Recorded[], symbol: string): number =>
  recorded.reduce(
    (newest, { trade }) => (trade.symbol === symbol ? Math.max(newest, trade.exchangeTime) : newest),
    Number.NEGATIVE_INFINITY,
  );

/** Of products, to the last digit, with as many digits after the point as the longest has. */
function sum(products: readonly (readonly Decimal[])[]): Decimal {
  const places = Math.max(
    0,
    ...products.map((factors) => factors.reduce((more, factor) => more + decimalPlaces(factor), 0)),
  );
  const total = products.reduce((so, factors) => {
    const own = factors.reduce((more, factor) => more + decimalPlaces(factor), 0);
    const product = factors.reduce((made, factor) => made * scaled(factor, decimalPlaces(factor)), 1n);
    return so + product * 10n ** BigInt(places - own);
  }, 0n);
  const digits = String(total).padStart(places + 1, '0');
  return decimal(places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`);
}
