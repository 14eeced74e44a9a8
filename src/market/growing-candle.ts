import { type CandleValues, GRACE_MS } from './candle.ts';
import type { CandleWindow } from './candle-window.ts';
import { compareDecimals, type Decimal, decimal, decimalPlaces, scaled } from './decimal.ts';
import type { RecordedTrade } from './recorded-trade.ts';
import { compareTrades, type TradePlace } from './trade-order.ts';

/** What a candle grows on from: its values, and where its first and last trade stand. */
export interface CandleBasis {
  readonly values: CandleValues;
  readonly first: TradePlace;
  readonly last: TradePlace;
}

/** A candle that takes in one trade after the other, whatever the order they come in; the same as the database makes of the same trades. */
export class GrowingCandle {
  readonly #closeTime: number;
  #first: TradePlace | null;
  #last: TradePlace | null;
  #open: Decimal;
  #high: Decimal;
  #low: Decimal;
  #close: Decimal;
  readonly #volume: ExactSum;
  readonly #quoteVolume: ExactSum;
  readonly #buyVolume: ExactSum;
  #tradeCount: number;
  #recordedAt: number;
  /** Of the trade that came last. */
  #latest: number;
  #revision: number;

  constructor({ closeTime }: CandleWindow, basis: CandleBasis | null) {
    const { values, first = null, last = null } = basis ?? {};
    this.#closeTime = closeTime;
    this.#first = first;
    this.#last = last;
    this.#open = values?.open ?? ZERO;
    this.#high = values?.high ?? ZERO;
    this.#low = values?.low ?? ZERO;
    this.#close = values?.close ?? ZERO;
    this.#volume = new ExactSum(values?.volume);
    this.#quoteVolume = new ExactSum(values?.quoteVolume);
    this.#buyVolume = new ExactSum(values?.buyVolume);
    this.#tradeCount = values?.tradeCount ?? 0;
    this.#recordedAt = values?.recordedAt ?? 0;
    this.#latest = this.#recordedAt;
    this.#revision = values?.revision ?? 0;
  }

  add({ trade, recordedAt }: RecordedTrade): void {
    const { price, size, tradeId } = trade;
    const place = { time: trade.exchangeTime, tradeId };
    if (this.#first === null || compareTrades(place, this.#first) < 0) [this.#first, this.#open] = [place, price];
    if (this.#last === null || compareTrades(place, this.#last) > 0) [this.#last, this.#close] = [place, price];
    const isFirst = this.#tradeCount === 0;
    if (isFirst || compareDecimals(price, this.#high) > 0) this.#high = price;
    if (isFirst || compareDecimals(price, this.#low) < 0) this.#low = price;
    const [pricePlaces, sizePlaces] = [decimalPlaces(price), decimalPlaces(size)];
    const units = scaled(size, sizePlaces);
    this.#volume.add(units, sizePlaces);
    this.#quoteVolume.add(scaled(price, pricePlaces) * units, pricePlaces + sizePlaces);
    if (trade.side === 'buy') this.#buyVolume.add(units, sizePlaces);
    this.#tradeCount += trade.fillCount;
    // What came in one recording is one revision, however many trades it has.
    if (recordedAt > this.#closeTime + GRACE_MS && recordedAt !== this.#latest) this.#revision += 1;
    this.#latest = recordedAt;
    this.#recordedAt = Math.max(this.#recordedAt, recordedAt);
  }

  /** As it is now; null before its first trade. */
  get values(): CandleValues | null {
    if (this.#first === null) return null;
    return {
      open: this.#open,
      high: this.#high,
      low: this.#low,
      close: this.#close,
      volume: this.#volume.decimal,
      quoteVolume: this.#quoteVolume.decimal,
      buyVolume: this.#buyVolume.decimal,
      tradeCount: this.#tradeCount,
      recordedAt: this.#recordedAt,
      revision: this.#revision,
    };
  }
}

const ZERO = '0' as Decimal;

/** A sum to the last digit, printed with as many places as the longest of its parts, as PostgreSQL does. For parts of 0 and more. */
class ExactSum {
  #units: bigint;
  #places: number;

  constructor(start: Decimal = ZERO) {
    this.#places = decimalPlaces(start);
    this.#units = scaled(start, this.#places);
  }

  /** `units` of 10^-places. */
  add(units: bigint, places: number): void {
    if (places > this.#places) {
      this.#units *= 10n ** BigInt(places - this.#places);
      this.#places = places;
    }
    this.#units += places === this.#places ? units : units * 10n ** BigInt(this.#places - places);
  }

  get decimal(): Decimal {
    const digits = String(this.#units).padStart(this.#places + 1, '0');
    return decimal(this.#places === 0 ? digits : `${digits.slice(0, -this.#places)}.${digits.slice(-this.#places)}`);
  }
}
