import { type Instrument, priceText, quoteText, sizeText } from './instrument.ts';
import { countAt, fillAt, type Group, type Tape, tradeAt, tradeIdAt } from './tape.ts';
import { bookAt, type Level, sequenceAt, stepAt } from './tape-book.ts';
import type { TapeCandle } from './tape-candle.ts';
import { DAY_MS, dayAt } from './tape-day.ts';

/**
 * Binance spot payloads, written as text: ids are bare digits, also those no JavaScript number can hold.
 * https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 */

/** Of `@trade`. `m`: the buyer was the maker, so the taker sold. */
export function tradeEvent(tape: Tape, k: number): string {
  const { tradeId, price, size, side, time } = tradeAt(tape, k);
  return `{"e":"trade","E":${time},"s":"${tape.instrument.nativeSymbol}","t":${tradeId},"p":"${price}","q":"${size}","T":${time},"m":${side === 'sell'},"M":true}`;
}

/** Of REST `trades` and `historicalTrades`. */
export function restTrade(tape: Tape, k: number): string {
  const { tradeId, price, size, side, time } = tradeAt(tape, k);
  const fill = fillAt(tape, k);
  const quote = quoteText(tape.instrument, BigInt(fill.ticks) * BigInt(fill.lots));
  return `{"id":${tradeId},"price":"${price}","qty":"${size}","quoteQty":"${quote}","time":${time},"isBuyerMaker":${side === 'sell'},"isBestMatch":true}`;
}

/** Of `@aggTrade`: the fills of one taker order at one price. */
export const aggTradeEvent = (tape: Tape, group: Group): string => {
  const { time } = fillAt(tape, group.first);
  return `{"e":"aggTrade","E":${time},"s":"${tape.instrument.nativeSymbol}",${aggFields(tape, group)}}`;
};

/** Of REST `aggTrades`. */
export const restAggTrade = (tape: Tape, group: Group): string => `{${aggFields(tape, group)}}`;

function aggFields(tape: Tape, group: Group): string {
  const fill = fillAt(tape, group.first);
  let lots = 0;
  for (let k = group.first; k <= group.last; k += 1) lots += fillAt(tape, k).lots;
  return `"a":${group.number},"p":"${priceText(tape.instrument, fill.ticks)}","q":"${sizeText(tape.instrument, lots)}","f":${tradeIdAt(tape, group.first)},"l":${tradeIdAt(tape, group.last)},"T":${fill.time},"m":${!fill.buy},"M":true`;
}

const levels = (instrument: Instrument, side: readonly Level[]) =>
  side.map(({ ticks, lots }) => [priceText(instrument, ticks), sizeText(instrument, lots)]);

/** Of `@bookTicker`: no event type and no time, as on real spot. */
export function bookTicker(tape: Tape, step: number): string {
  const { instrument } = tape;
  const { bids, asks } = bookAt(tape, step, 1);
  const [[bid, bidSize] = [], [ask, askSize] = []] = [...levels(instrument, bids), ...levels(instrument, asks)];
  return JSON.stringify({
    u: sequenceAt(tape, step),
    s: instrument.nativeSymbol,
    b: bid,
    B: bidSize,
    a: ask,
    A: askSize,
  });
}

/** Of `@depth<n>` and REST `depth`. */
export function depthSnapshot(tape: Tape, step: number, depth: number): string {
  const { bids, asks } = bookAt(tape, step, depth);
  return JSON.stringify({
    lastUpdateId: sequenceAt(tape, step),
    bids: levels(tape.instrument, bids),
    asks: levels(tape.instrument, asks),
  });
}

/** Of `@depth`: the change from step `from` (exclusive) to `to`. */
export function depthUpdate(
  tape: Tape,
  sides: { readonly bids: readonly Level[]; readonly asks: readonly Level[] },
  at: { readonly from: number; readonly to: number; readonly time: number },
): string {
  const { instrument } = tape;
  return JSON.stringify({
    e: 'depthUpdate',
    E: at.time,
    s: instrument.nativeSymbol,
    U: sequenceAt(tape, at.from) + 1,
    u: sequenceAt(tape, at.to),
    b: levels(instrument, sides.bids),
    a: levels(instrument, sides.asks),
  });
}

/** Of `@ticker`; `count` trades have happened at `time`. */
export function dayTicker(tape: Tape, count: number, time: number): string {
  const { instrument } = tape;
  const last = fillAt(tape, Math.max(0, count - 1));
  const day = dayAt(tape, time, count);
  const { bids, asks } = bookAt(tape, stepAt(tape, time), 1);
  const [[bid, bidSize] = [], [ask, askSize] = []] = [...levels(instrument, bids), ...levels(instrument, asks)];
  const price = (ticks: number) => priceText(instrument, ticks);
  const mean = day.lots === 0n ? day.open : Number(day.quote / day.lots);
  const first = tradeIdAt(tape, Math.min(countAt(tape, time - DAY_MS), Math.max(0, count - 1)));
  const text = JSON.stringify({
    e: '24hrTicker',
    E: time,
    s: instrument.nativeSymbol,
    p: price(last.ticks - day.open),
    P: percent(last.ticks - day.open, day.open),
    w: price(mean),
    x: price(day.open),
    c: price(last.ticks),
    Q: sizeText(instrument, last.lots),
    b: bid,
    B: bidSize,
    a: ask,
    A: askSize,
    o: price(day.open),
    h: price(day.high),
    l: price(day.low),
    v: sizeText(instrument, day.lots),
    q: quoteText(instrument, day.quote),
    O: time - DAY_MS,
    C: time,
  });
  return `${text.slice(0, -1)},"F":${first},"L":${tradeIdAt(tape, Math.max(0, count - 1))},"n":${day.trades}}`;
}

/** Of `@kline_<i>`. `T` is one ms before the next open; a candle without trades has ids of -1. */
export function klineEvent(
  tape: Tape,
  candle: TapeCandle,
  kline: { readonly interval: string; readonly closed: boolean; readonly time: number },
): string {
  const { instrument } = tape;
  const price = (ticks: number) => priceText(instrument, ticks);
  const empty = candle.next === candle.first;
  const [f, L] = empty ? ['-1', '-1'] : [tradeIdAt(tape, candle.first), tradeIdAt(tape, candle.next - 1)];
  const { nativeSymbol } = instrument;
  return (
    `{"e":"kline","E":${kline.time},"s":"${nativeSymbol}","k":{"t":${candle.openTime},"T":${candle.closeTime - 1},"s":"${nativeSymbol}","i":"${kline.interval}",` +
    `"f":${f},"L":${L},"o":"${price(candle.open)}","c":"${price(candle.close)}","h":"${price(candle.high)}","l":"${price(candle.low)}",` +
    `"v":"${sizeText(instrument, candle.lots)}","n":${candle.next - candle.first},"x":${kline.closed},"q":"${quoteText(instrument, candle.quote)}",` +
    `"V":"${sizeText(instrument, candle.buyLots)}","Q":"${quoteText(instrument, candle.buyQuote)}","B":"0"}}`
  );
}

/** Of REST `klines`. */
export const klineRow = (tape: Tape, candle: TapeCandle): string => {
  const { instrument } = tape;
  const price = (ticks: number) => priceText(instrument, ticks);
  return JSON.stringify([
    candle.openTime,
    price(candle.open),
    price(candle.high),
    price(candle.low),
    price(candle.close),
    sizeText(instrument, candle.lots),
    candle.closeTime - 1,
    quoteText(instrument, candle.quote),
    candle.next - candle.first,
    sizeText(instrument, candle.buyLots),
    quoteText(instrument, candle.buyQuote),
    '0',
  ]);
};

/** With three decimals, rounded towards zero. */
function percent(part: number, whole: number): string {
  const thousandths = Math.trunc((Math.abs(part) * 100_000) / whole);
  const digits = String(thousandths).padStart(4, '0');
  return `${part < 0 && thousandths > 0 ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}
