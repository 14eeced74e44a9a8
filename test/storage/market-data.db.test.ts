import { describe, expect, it } from 'vitest';
import type { MarketEvent, Ticker } from '../../src/market/market-event.ts';
import {
  insertMarketData,
  latestBalances,
  listMarketData,
  type MarketDataQuery,
} from '../../src/storage/market-data.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, NOW, scene } from './samples.ts';

const db = useTestDatabase();

const ticker = (symbol: string, at: number, raw: unknown): Ticker => ({
  kind: 'ticker',
  exchange: 'okx',
  symbol,
  exchangeTime: NOW + at,
  receivedAt: NOW + at,
  raw,
  last: dec('1'),
  lastSize: null,
  bid: null,
  bidSize: null,
  ask: null,
  askSize: null,
  open24h: null,
  high24h: null,
  low24h: null,
  volume24h: null,
  quoteVolume24h: null,
});
const balance = (currency: string, at: number, total: string): MarketEvent => ({
  kind: 'balance',
  exchange: 'okx',
  symbol: currency,
  exchangeTime: NOW + at,
  receivedAt: NOW + at,
  raw: { total },
  currency,
  total: dec(total),
  available: null,
  frozen: null,
});
const asked = (symbol: string, over: Partial<MarketDataQuery> = {}): MarketDataQuery => ({
  exchange: 'okx',
  symbol,
  dataType: 'ticker',
  from: null,
  to: null,
  order: 'ASC',
  limit: 100,
  after: null,
  before: null,
  fromEnd: false,
  ...over,
});

describe('market data', () => {
  it('comes back as it was, in pages, also where many share a time', async () => {
    const { symbol } = scene();
    const events = Array.from({ length: 25 }, (_, at) =>
      ticker(symbol, Math.floor(at / 10), { n: at, deep: [{ x: '\0' }] }),
    );
    expect(await insertMarketData(db(), events)).toBe(25);
    expect(await insertMarketData(db(), [])).toBe(0);
    for (const order of ['ASC', 'DESC'] as const) {
      const seen: unknown[] = [];
      let after: MarketDataQuery['after'] = null;
      for (let more = true; more; ) {
        const page = await listMarketData(db(), asked(symbol, { order, limit: 4, after }));
        seen.push(...page.rows.map(({ data }) => data));
        const last = page.rows.at(-1);
        after = last ? { timestamp: last.timestamp.getTime(), id: last.id } : null;
        more = page.hasMore;
      }
      const all = Array.from({ length: 25 }, (_, n) => ({ n, deep: [{ x: '\ufffd' }] }));
      expect(seen).toEqual(order === 'ASC' ? all : all.toReversed());
    }
    const last = await listMarketData(db(), asked(symbol, { fromEnd: true, limit: 2, to: new Date(NOW + 2) }));
    expect(last.rows.map(({ data }) => (data as { n: number }).n)).toEqual([18, 19]);
    expect((await listMarketData(db(), asked(symbol, { dataType: 'candle' }))).rows).toEqual([]);
  });

  it('keeps of an order book what was assembled', async () => {
    const { symbol } = scene();
    const book: MarketEvent = {
      kind: 'orderbook',
      exchange: 'okx',
      symbol,
      exchangeTime: Date.UTC(2022, 9, 12),
      receivedAt: NOW,
      raw: {},
      bids: [[dec('1.10'), dec('2')]],
      asks: [],
      sequence: 7,
      validity: 'VALID',
      chained: true,
    };
    await insertMarketData(db(), [book]);
    const { rows } = await listMarketData(db(), asked(symbol, { dataType: 'orderbook' }));
    expect(rows).toMatchObject([
      {
        symbol,
        dataType: 'orderbook',
        timestamp: new Date(book.exchangeTime),
        data: { bids: [['1.10', '2']], asks: [], sequence: 7, validity: 'VALID' },
      },
    ]);
  });

  it('knows the newest balance of every currency', async () => {
    await insertMarketData(db(), [
      balance('USDT', 2, '30'),
      balance('BTC', 1, '0.1'),
      balance('USDT', 1, '10'),
      balance('USDT', 2, '31'),
    ]);
    expect((await latestBalances(db(), 'okx')).map(({ symbol, data }) => [symbol, data])).toEqual([
      ['BTC', { total: '0.1' }],
      ['USDT', { total: '31' }],
    ]);
    expect(await latestBalances(db(), 'binance')).toEqual([]);
  });
});
