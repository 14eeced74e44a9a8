import { decimalText, priceText, quoteText, sizeText } from './instrument.ts';
import { fillAt, type Group, type Tape, tradeAt, tradeIdAt } from './tape.ts';
import { BOOK_DEPTH, type Book, bookAt, type Level, sequenceAt, stepAt } from './tape-book.ts';
import type { TapeCandle } from './tape-candle.ts';
import { dayAt } from './tape-day.ts';

/** OKX v5 data records, written as text: https://www.okx.com/docs-v5/en/ */

/** Of `trades-all` and of REST: one match. */
export function singleTrade(tape: Tape, k: number): string {
  const { tradeId, price, size, side, time } = tradeAt(tape, k);
  return `{"instId":"${tape.instrument.nativeSymbol}","tradeId":"${tradeId}","px":"${price}","sz":"${size}","side":"${side}","ts":"${time}","source":"0","seqId":${sequenceAt(tape, stepAt(tape, time))}}`;
}

/** Of `trades`: the fills of one taker order at one price; the id is the last one's. */
export function packedTrade(tape: Tape, group: Group): string {
  const fill = fillAt(tape, group.first);
  const { nativeSymbol } = tape.instrument;
  const size = sizeText(tape.instrument, lotsOf(tape, group));
  return `{"instId":"${nativeSymbol}","tradeId":"${tradeIdAt(tape, group.last)}","px":"${priceText(tape.instrument, fill.ticks)}","sz":"${size}","side":"${fill.buy ? 'buy' : 'sell'}","ts":"${fill.time}","count":"${group.last - group.first + 1}","source":"0","seqId":${sequenceAt(tape, stepAt(tape, fill.time))}}`;
}

export function lotsOf(tape: Tape, group: Group): number {
  let lots = 0;
  for (let k = group.first; k <= group.last; k += 1) lots += fillAt(tape, k).lots;
  return lots;
}

/** `count` trades have happened at `time`. */
export function ticker(tape: Tape, count: number, time: number): string {
  const { instrument } = tape;
  const last = fillAt(tape, Math.max(0, count - 1));
  const book = bookAt(tape, stepAt(tape, time), 1);
  const day = dayAt(tape, time, count);
  const price = (ticks: number) => priceText(instrument, ticks);
  const [bid, ask] = [book.bids[0], book.asks[0]];
  return JSON.stringify({
    instType: instrument.kind === 'spot' ? 'SPOT' : 'SWAP',
    instId: instrument.nativeSymbol,
    last: price(last.ticks),
    lastSz: sizeText(instrument, last.lots),
    askPx: ask === undefined ? '' : price(ask.ticks),
    askSz: ask === undefined ? '' : sizeText(instrument, ask.lots),
    bidPx: bid === undefined ? '' : price(bid.ticks),
    bidSz: bid === undefined ? '' : sizeText(instrument, bid.lots),
    open24h: price(day.open),
    high24h: price(day.high),
    low24h: price(day.low),
    sodUtc0: price(day.open),
    sodUtc8: price(day.open),
    volCcy24h: instrument.kind === 'spot' ? quoteText(instrument, day.quote) : sizeText(instrument, day.lots),
    vol24h: sizeText(instrument, day.lots),
    ts: String(time),
  });
}

const levels = (tape: Tape, side: readonly Level[]) =>
  side.map(({ ticks, lots, orders }) => [
    priceText(tape.instrument, ticks),
    decimalText(tape.instrument, lots, tape.instrument.sizePlaces),
    '0',
    String(orders),
  ]);

/** Of `books5` and `bbo-tbt`: the best levels, whole. */
export function topOfBook(tape: Tape, book: Book, time: number): string {
  return JSON.stringify({
    asks: levels(tape, book.asks),
    bids: levels(tape, book.bids),
    instId: tape.instrument.nativeSymbol,
    ts: String(time),
    seqId: sequenceAt(tape, book.step),
  });
}

/** Of `books`: a snapshot (`previous` -1) or the change since the step whose sequence is `previous`. */
export function chainedBook(
  tape: Tape,
  sides: { readonly bids: readonly Level[]; readonly asks: readonly Level[] },
  at: { readonly step: number; readonly previous: number; readonly time: number },
): string {
  return JSON.stringify({
    asks: levels(tape, sides.asks),
    bids: levels(tape, sides.bids),
    ts: String(at.time),
    checksum: 0, // a constant since June 2026
    seqId: sequenceAt(tape, at.step),
    prevSeqId: at.previous,
  });
}

/** Of REST `books`. */
export function restBook(tape: Tape, step: number, depth: number, time: number): string {
  const book = bookAt(tape, step, Math.min(depth, BOOK_DEPTH));
  return JSON.stringify({
    asks: levels(tape, book.asks),
    bids: levels(tape, book.bids),
    ts: String(time),
    seqId: sequenceAt(tape, step),
  });
}

/** A candle row. `confirm` "1" says that it is final. */
export function candleRow(tape: Tape, candle: TapeCandle, confirm: '0' | '1'): string {
  const { instrument } = tape;
  const price = (ticks: number) => priceText(instrument, ticks);
  const quote = quoteText(instrument, candle.quote);
  const volume = sizeText(instrument, candle.lots);
  return JSON.stringify([
    String(candle.openTime),
    price(candle.open),
    price(candle.high),
    price(candle.low),
    price(candle.close),
    volume,
    instrument.kind === 'spot' ? quote : volume,
    quote,
    confirm,
  ]);
}
