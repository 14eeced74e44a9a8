import { describe, expect, it } from 'vitest';
import type { MarketEvent, Ticker } from '../../src/market/market-event.ts';
import {
  insertMarketData,
  latestBalances,
  listMarketData,
  listMinuteCandles,
  type MarketDataQuery,
} from '../../src/storage/market-data.ts';
import { aCandle } from '../pipeline/market-data.ts';
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

describe('candles that end on a whole minute', () => {
  const MINUTE = 60_000;
  const { symbol } = scene();
  const candle = (end: number, name: string): MarketEvent =>
    aCandle({ symbol, exchangeTime: NOW + end * MINUTE, closeTime: NOW + end * MINUTE, raw: { name } });
  const read = async (from: number, to: number, own = symbol) => {
    const range = { from: new Date(NOW + from * MINUTE), to: new Date(NOW + to * MINUTE) };
    const rows = await listMinuteCandles(db(), { exchange: 'okx', symbol: own, ...range });
    return rows.map(({ timestamp, data }) => [(timestamp.getTime() - NOW) / MINUTE, (data as { name: string }).name]);
  };

  it('are those whose end lies in (from, to], in order, of one end the newest', async () => {
    const often = Array.from({ length: 40 }, (_, k) => candle(2, `update ${k}`));
    await insertMarketData(db(), [candle(3, 'c'), candle(1.5, 'half'), ...often, candle(1, 'a'), candle(4, 'd')]);
    await insertMarketData(db(), [candle(3, 'of five minutes'), ticker(symbol, 2 * MINUTE, {})]);
    const newest = Array.from({ length: 24 }, (_, k) => [2, `update ${k + 16}`]);
    expect(await read(1, 3)).toEqual([...newest, [3, 'c'], [3, 'of five minutes']]);
    expect(await read(0, 1)).toEqual([[1, 'a']]);
    expect(await read(0, 9, 'NO-SUCH')).toEqual([]);
  });
});
