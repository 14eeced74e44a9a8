import { isDecimal } from '../../market/decimal.ts';
import type { Side, Trade } from '../../market/market-event.ts';
import type { Provenance } from '../../market/recorded-trade.ts';
import type { NumberedTrade } from '../../storage/trade-batch.ts';
import { GrowingText } from './growing-text.ts';
import type { LedgerWord, SpoolItem } from './spool-batch.ts';

/**
 * A batch as it lies in the spool, as JSON. What its trades have in common is said once; each is eight values of `items`, nine where its
 * payload is kept: market (place in `markets`), ms of exchange time and of receipt after the trade before it (the first: after `at`),
 * fills, 1 for a buy, id, price, size, payload. A list among them is a trade with less in common, an object a word.
 */
interface SpooledBatch {
  /** When its trades were recorded, ms. */
  readonly at: number;
  /** Number of the first trade; the others follow without holes. */
  readonly first: string;
  readonly markets: readonly SpooledMarket[];
  readonly items: readonly unknown[];
}

type SpooledMarket = readonly [exchange: string, symbol: string, provenance: Provenance, storeRaw: boolean];

type AlikeTrade = readonly [
  market: number,
  sinceExchange: number,
  sinceReceipt: number,
  fillCount: number,
  buy: number,
  tradeId: string,
  price: string,
  size: string,
];

/** A trade by itself. In earlier versions all were, and a batch was the bare list of its items. */
type WholeTrade = readonly [
  sequence: string,
  recordedAt: number,
  exchange: string,
  symbol: string,
  exchangeTime: number,
  receivedAt: number,
  tradeId: string,
  fillCount: number,
  price: string,
  size: string,
  side: Side,
  provenance: Provenance,
  storeRaw: boolean,
  raw: unknown,
];

const PLAIN = /^[\w-]*$/;
/** One is enough, as nobody waits while a batch is written. */
const text = new GrowingText();

/** Ids and numbers that may exceed 2^53 as text. A payload nobody keeps is left out. Written by hand, as every trade goes through it. */
export function encodeItems(items: readonly SpoolItem[]): string {
  const head = items.find((item) => item.kind === 'trade');
  const [at, first] = [head?.recordedAt ?? 0, head?.sequence ?? 0n];
  const markets = new Markets();
  let [next, exchangeTime, receivedAt] = [first, at, at];
  text.clear();
  for (const item of items) {
    if (text.length > 0) text.add(',');
    if (item.kind !== 'trade') {
      text.add(JSON.stringify({ ...item, range: [String(item.range.first), String(item.range.last)] }));
      continue;
    }
    const { trade, storeRaw } = item;
    const isAlike = item.sequence === next && item.recordedAt === at;
    next = item.sequence + 1n;
    if (!isAlike || !Number.isSafeInteger(trade.exchangeTime) || !Number.isSafeInteger(trade.receivedAt)) {
      text.add(JSON.stringify(toWhole(item)));
      continue;
    }
    const [sinceExchange, sinceReceipt] = [trade.exchangeTime - exchangeTime, trade.receivedAt - receivedAt];
    exchangeTime = trade.exchangeTime;
    receivedAt = trade.receivedAt;
    text.addInteger(markets.placeOf(item)).add(',').addInteger(sinceExchange).add(',').addInteger(sinceReceipt);
    text
      .add(',')
      .addInteger(trade.fillCount)
      .add(trade.side === 'buy' ? ',1,' : ',0,');
    if (PLAIN.test(trade.tradeId)) text.add('"').add(trade.tradeId).add('","');
    else text.add(JSON.stringify(trade.tradeId)).add(',"');
    text.add(trade.price).add('","').add(trade.size).add('"');
    if (storeRaw) text.add(',').add(JSON.stringify(trade.raw ?? null));
  }
  return `{"at":${at},"first":"${first}","markets":${JSON.stringify(markets.list)},"items":[${text.toString()}]}`;
}

/** @throws {TypeError} for what `encodeItems` did not write, now or in earlier versions. */
export function decodeItems(body: string, writer: number): readonly SpoolItem[] {
  const batch: unknown = JSON.parse(body);
  if (Array.isArray(batch)) return batch.map((item: unknown) => toItem(item, writer));
  const { at, first, markets, items: values } = batch as SpooledBatch;
  const items: SpoolItem[] = [];
  let [next, exchangeTime, receivedAt] = [BigInt(first), at, at];
  for (let place = 0; place < values.length; ) {
    const market = values[place];
    if (typeof market !== 'number') {
      const item = toItem(market, writer);
      if (item.kind === 'trade') next = item.sequence + 1n;
      items.push(item);
      place += 1;
      continue;
    }
    const row = values.slice(place, place + 8) as unknown as AlikeTrade;
    const [, sinceExchange, sinceReceipt, fillCount, buy, tradeId, price, size] = row;
    const [exchange, symbol, provenance, storeRaw] = markets[market] as SpooledMarket;
    exchangeTime += sinceExchange;
    receivedAt += sinceReceipt;
    const side = buy === 1 ? 'buy' : 'sell';
    const raw = storeRaw ? values[place + 8] : null;
    const trade = { exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount, price, size, side, raw } as const;
    items.push(toTrade(trade, { writer, sequence: next, recordedAt: at, provenance, storeRaw }));
    next += 1n;
    place += storeRaw ? 9 : 8;
  }
  return items;
}

/** The markets of a batch in the order they come. */
class Markets {
  readonly list: SpooledMarket[] = [];
  readonly #places = new Map<string, number[]>();

  placeOf({ trade: { exchange, symbol }, provenance, storeRaw }: NumberedTrade): number {
    const places = this.#places.get(symbol) ?? [];
    for (const place of places) {
      const [itsExchange, , itsProvenance, itsStoreRaw] = this.list[place] as SpooledMarket;
      if (itsExchange === exchange && itsProvenance === provenance && itsStoreRaw === storeRaw) return place;
    }
    places.push(this.list.push([exchange, symbol, provenance, storeRaw]) - 1);
    this.#places.set(symbol, places);
    return this.list.length - 1;
  }
}

function toWhole({ trade, sequence, recordedAt, provenance, storeRaw }: NumberedTrade): WholeTrade {
  const { exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount, price, size, side, raw } = trade;
  return [
    ...([String(sequence), recordedAt, exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount] as const),
    ...([price, size, side, provenance, storeRaw, storeRaw ? raw : null] as const),
  ];
}

function toItem(json: unknown, writer: number): SpoolItem {
  if (!Array.isArray(json)) return toWord(json as WordText);
  const [sequence, recordedAt, exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount, ...rest] =
    json as unknown as WholeTrade;
  const [price, size, side, provenance, storeRaw, raw] = rest;
  const trade = { exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount, price, size, side, raw };
  return toTrade(trade, { writer, sequence: BigInt(sequence), recordedAt, provenance, storeRaw });
}

type TradeText = Omit<Trade, 'kind' | 'price' | 'size'> & { readonly price: string; readonly size: string };

function toTrade({ price, size, ...text }: TradeText, about: Omit<NumberedTrade, 'trade'>): SpoolItem {
  if (!isDecimal(price) || !isDecimal(size)) throw new TypeError('A spooled trade has decimals for price and size');
  return { kind: 'trade', trade: { kind: 'trade', ...text, price, size }, ...about };
}

type WordText = { readonly range: readonly [string, string] } & Omit<LedgerWord, 'range'>;

function toWord(json: WordText): LedgerWord {
  const [first, last] = json.range;
  return { ...json, range: { first: BigInt(first), last: BigInt(last) } } as LedgerWord;
}
