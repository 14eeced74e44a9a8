import { AppError } from '../runtime/errors.ts';
import { hash32, seedOf } from './hash.ts';

export type SimulatedExchange = 'okx' | 'binance';

/** What an exchange lists about an instrument, and the scale of its tape. Prices are counted in ticks, sizes in lots. */
export interface Instrument {
  readonly exchange: SimulatedExchange;
  /** Canonical, e.g. "BTC-USDT". */
  readonly symbol: string;
  /** The exchange's own, e.g. "BTCUSDT". */
  readonly nativeSymbol: string;
  readonly base: string;
  readonly quote: string;
  readonly kind: 'spot' | 'swap';
  /** Decimals of a price: one tick is 10^-pricePlaces. */
  readonly pricePlaces: number;
  /** Decimals of a size: one lot is 10^-sizePlaces. */
  readonly sizePlaces: number;
  /** The price the tape wanders around. */
  readonly baseTicks: number;
  /** Sizes are multiples of a small integer times this, so that they look like the instrument's. */
  readonly lotScale: number;
}

/** Well-known instruments: [price places, size places, price in ticks, lot scale]; the rest is made up from the name. */
const KNOWN: Readonly<Record<string, readonly [number, number, number, number]>> = {
  'BTC-USDT': [1, 8, 640_000, 997],
  'ETH-USDT': [2, 6, 310_000, 37],
  'SOL-USDT': [2, 6, 15_000, 911],
  'XRP-USDT': [4, 6, 22_000, 170_003],
  'DOGE-USDT': [5, 6, 16_000, 900_007],
  'PEPE-USDT': [10, 0, 123_456, 5_003],
};

const SYMBOL = /^([A-Z0-9]{1,20})-([A-Z0-9]{1,20})(-SWAP)?$/;

/** @throws {AppError} SYMBOL_UNKNOWN for anything but BASE-QUOTE or, on OKX, BASE-QUOTE-SWAP. */
export function instrumentOf(exchange: SimulatedExchange, symbol: string): Instrument {
  const [, base, quote, swap] = SYMBOL.exec(symbol) ?? [];
  if (base === undefined || quote === undefined || (swap !== undefined && exchange === 'binance'))
    throw new AppError(
      'SYMBOL_UNKNOWN',
      `The simulated ${exchange} has no "${symbol}": write BASE-QUOTE, such as BTC-USDT`,
    );
  const [pricePlaces, sizePlaces, baseTicks, lotScale] = KNOWN[`${base}-${quote}`] ?? madeUp(symbol);
  return {
    exchange,
    symbol,
    nativeSymbol: exchange === 'okx' ? symbol : base + quote,
    base,
    quote,
    kind: swap === undefined ? 'spot' : 'swap',
    pricePlaces,
    sizePlaces: swap === undefined ? sizePlaces : 2,
    baseTicks,
    lotScale: swap === undefined ? lotScale : 1,
  };
}

function madeUp(symbol: string): readonly [number, number, number, number] {
  const bits = hash32(seedOf(symbol), 0, 0);
  return [bits % 9, 4, 20_000 + ((bits >>> 8) % 500_000), 13];
}

/** OKX prints "0.5", Binance "0.50000000": the wire text of `units` x 10^-places. */
export const decimalText = (instrument: Instrument, units: number | bigint, places: number): string =>
  instrument.exchange === 'okx' ? trimmed(fixed(units, places)) : padded(fixed(units, places));

export const priceText = (instrument: Instrument, ticks: number): string =>
  decimalText(instrument, ticks, instrument.pricePlaces);

export const sizeText = (instrument: Instrument, lots: number | bigint): string =>
  decimalText(instrument, lots, instrument.sizePlaces);

/** Price times size, in quote currency: a product of ticks and lots. */
export const quoteText = (instrument: Instrument, ticksTimesLots: number | bigint): string =>
  decimalText(instrument, ticksTimesLots, instrument.pricePlaces + instrument.sizePlaces);

function fixed(units: number | bigint, places: number): string {
  if (units < 0) return `-${fixed(-units, places)}`;
  if (places === 0) return String(units);
  const digits = String(units).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function trimmed(text: string): string {
  if (!text.includes('.')) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end -= 1;
  return text.slice(0, text.charCodeAt(end - 1) === 46 ? end - 1 : end);
}

function padded(text: string): string {
  const point = text.indexOf('.');
  if (point < 0) return `${text}.00000000`;
  return text + '0'.repeat(Math.max(0, 8 - (text.length - point - 1)));
}
