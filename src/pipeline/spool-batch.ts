import type { IdRange } from '../market/coverage.ts';
import { type Decimal, isDecimal } from '../market/decimal.ts';
import type { Side, Trade } from '../market/market-event.ts';
import type { Provenance } from '../market/recorded-trade.ts';
import type { NumberedTrade } from '../storage/trade-writer.ts';

/** What else is said of trades: ids that never come, or that shall be fetched. */
export type LedgerWord =
  | {
      readonly kind: 'give-up';
      readonly exchange: string;
      readonly symbol: string;
      readonly range: IdRange;
      readonly cause: string;
      readonly now: number;
      /** They were taken for stored, and the database refused them. */
      readonly wasTaken: boolean;
    }
  | {
      readonly kind: 'declare';
      readonly exchange: string;
      readonly symbol: string;
      readonly range: IdRange;
      readonly about: { readonly from: number; readonly to: number; readonly cause: string };
      readonly now: number;
    };

export type SpoolItem = { readonly kind: 'trade'; readonly recorded: NumberedTrade } | LedgerWord;

/** What one append makes durable: items in the order in which they happened. */
export interface SpoolBatch {
  /** Grows by one with each batch. */
  readonly number: number;
  /** The last sequence of the writer after it. */
  readonly last: bigint;
  readonly items: readonly SpoolItem[];
}

export function tradesOf(items: readonly SpoolItem[]): readonly NumberedTrade[] {
  const trades: NumberedTrade[] = []; // not flatMap: every trade comes by here several times
  for (const item of items) if (item.kind === 'trade') trades.push(item.recorded);
  return trades;
}

type TradeRow = readonly [
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

/** JSON; ids and numbers that may exceed 2^53 as text. A payload nobody keeps is left out. */
export const encodeItems = (items: readonly SpoolItem[]): string => `[${items.map(toText).join(',')}]`;

/** @throws {TypeError} for what `encodeItems` did not write. */
export function decodeItems(body: string, writer: number): readonly SpoolItem[] {
  const items: unknown = JSON.parse(body);
  if (!Array.isArray(items)) throw new TypeError('A spooled batch is a list');
  return items.map((item) => (Array.isArray(item) ? toTrade(item as unknown as TradeRow, writer) : toWord(item)));
}

/** A TradeRow, written out by hand: that takes a third of the time, and every trade goes through it. Decimals are digits. */
function toText(item: SpoolItem): string {
  if (item.kind !== 'trade')
    return JSON.stringify({ ...item, range: [String(item.range.first), String(item.range.last)] });
  const { trade, sequence, recordedAt, provenance, storeRaw } = item.recorded;
  const { exchangeTime, receivedAt, fillCount, price, size, side } = trade;
  const [exchange, symbol, tradeId] = [quoted(trade.exchange), quoted(trade.symbol), quoted(trade.tradeId)];
  const raw = storeRaw ? JSON.stringify(trade.raw ?? null) : 'null';
  return `["${sequence}",${recordedAt},${exchange},${symbol},${exchangeTime},${receivedAt},${tradeId},${fillCount},"${price}","${size}","${side}","${provenance}",${storeRaw},${raw}]`;
}

const quoted = (text: string): string => JSON.stringify(text);

function toTrade(row: TradeRow, writer: number): SpoolItem {
  const [sequence, recordedAt, exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount, ...rest] = row;
  const [price, size, side, provenance, storeRaw, raw] = rest;
  if (!isDecimal(price) || !isDecimal(size)) throw new TypeError('A spooled trade has decimals for price and size');
  const numbers: { readonly price: Decimal; readonly size: Decimal } = { price, size };
  const trade: Trade = {
    ...{ kind: 'trade', exchange, symbol, exchangeTime, receivedAt, tradeId, fillCount, ...numbers, side, raw },
  };
  const recorded = { trade, writer, sequence: BigInt(sequence), recordedAt, provenance, storeRaw };
  return { kind: 'trade', recorded };
}

function toWord(json: { readonly range: readonly [string, string] } & Omit<LedgerWord, 'range'>): LedgerWord {
  const [first, last] = json.range;
  return { ...json, range: { first: BigInt(first), last: BigInt(last) } } as LedgerWord;
}
