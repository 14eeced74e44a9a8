import type { Decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import type { Database } from '../../src/storage/database.ts';
import { listTrades as listLines, type TradeQuery } from '../../src/storage/trade-pages.ts';
import type { TradeToRecord } from './test-writer.ts';

export const NOW = Date.UTC(2026, 10, 20, 12);

export const dec = (text: string): Decimal => text as Decimal;

/** A single fill; size and price follow from the id, so a wrong row shows. */
export const sampleTrade = (id: number | string, over: Partial<Trade> = {}): Trade => ({
  kind: 'trade',
  exchange: 'okx',
  symbol: 'BTC-USDT',
  exchangeTime: NOW + Number(String(id).slice(-6)),
  receivedAt: NOW + Number(String(id).slice(-6)) + 7,
  tradeId: String(id),
  fillCount: 1,
  price: dec(`5${String(id).slice(-4)}.10`),
  size: dec('0.001'),
  side: Number(String(id).slice(-1)) % 2 === 0 ? 'buy' : 'sell',
  raw: { tradeId: String(id), px: '1' },
  ...over,
});

export const toRecord = (trade: Trade, over: Partial<TradeToRecord> = {}): TradeToRecord => ({
  trade,
  provenance: 'LIVE',
  storeRaw: true,
  ...over,
});

/** With the trades as objects. */
export async function listTrades(db: Database, query: TradeQuery) {
  const { trades, hasMore } = await listLines(db, query);
  return { trades: [...trades], hasMore };
}

let scenes = 0;

/** An instrument of its own, so that the tests of a file can share one database. */
export function scene() {
  const symbol = `S${++scenes}-USDT`;
  const trade = (id: number | string, over: Partial<Trade> = {}) => sampleTrade(id, { symbol, ...over });
  const batch = (...ids: readonly (number | string)[]): TradeToRecord[] => ids.map((id) => toRecord(trade(id)));
  return { symbol, trade, batch };
}

export const idsOf = (recorded: readonly RecordedTrade[]): string[] => recorded.map(({ trade }) => trade.tradeId);

export const sequencesOf = (recorded: readonly RecordedTrade[]): number[] =>
  recorded.map(({ sequence }) => Number(sequence));

/** A page of everything, oldest first, unless told otherwise. */
export const pageOf = (symbol: string, over: Partial<TradeQuery> = {}): TradeQuery => ({
  exchange: 'okx',
  symbol,
  from: null,
  to: null,
  side: null,
  asOf: null,
  order: 'ASC',
  limit: 100,
  after: null,
  before: null,
  fromEnd: false,
  ...over,
});
