import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/exchanges/adapter.ts';
import { EXCHANGES, type ExchangeId } from '../../src/exchanges/registry.ts';
import { DataType } from '../../src/market/data-type.ts';
import { answersOf, fixtureFiles, hasFixtures, linesOf } from './fixtures.ts';

const AT = 1_800_000_000_000;

function routeOf(id: ExchangeId, nativeSymbol: string, dataType: DataType, name?: string): Route {
  const [channel] = EXCHANGES[id].channels(nativeSymbol, dataType, name);
  if (!channel) throw new Error(`${id} has no ${dataType}`);
  return { channel, symbol: 'BTC-USDT' };
}

const restFiles = (id: ExchangeId) =>
  hasFixtures(id) ? fixtureFiles(id).filter((file) => file.includes('rest.')) : [];

it.runIf(hasFixtures('okx') && hasFixtures('binance'))('covers every recorded REST answer', () => {
  expect(Object.fromEntries([...restFiles('okx')].map((file) => [file, linesOf('okx', file).length]))).toEqual({
    'rest.instruments.SPOT-SWAP.2022-05.jsonl': 10,
    'rest.misc.jsonl': 4,
  });
  expect(Object.fromEntries([...restFiles('binance')].map((file) => [file, linesOf('binance', file).length]))).toEqual({
    'spot.rest.aggTrades.jsonl': 12,
    'spot.rest.depth.NKNUSDT.2021-10.jsonl': 1, // the three depth files are read by recorded-books.test.ts
    'spot.rest.depth.US-CRV-COMP.2021-10.jsonl': 2,
    'spot.rest.exchangeInfo.2021-10.jsonl': 1,
    'spot.rest.klines.jsonl': 7,
    'spot.rest.trades.jsonl': 3,
    'usdm.rest.depth.SUSHI-KEEP.2021-07.jsonl': 2,
  });
});

describe.runIf(hasFixtures('okx'))('okx', () => {
  const { rest, readPayload } = EXCHANGES.okx;

  it('lists the instruments of the recorded answers, none left out', () => {
    for (const { url, body } of answersOf('okx', 'rest.instruments.SPOT-SWAP.2022-05.jsonl')) {
      const { data } = JSON.parse(body) as {
        data: { instId: string; state: string; baseCcy: string; quoteCcy: string }[];
      };
      const spot = url.searchParams.get('instType') === 'SPOT';
      expect(data.length).toBeGreaterThan(100);
      expect(rest.readInstruments(body)).toEqual(
        data.map(({ instId, state, baseCcy, quoteCcy }) => ({
          ...{ symbol: instId, nativeSymbol: instId, kind: spot ? 'spot' : 'swap', trading: state === 'live' },
          ...{ base: spot ? baseCcy : instId.split('-')[0], quote: spot ? quoteCcy : instId.split('-')[1] },
        })),
      );
    }
  });

  it('reads trades, candles, an order book and balances', () => {
    const body = (part: string) =>
      answersOf('okx', 'rest.misc.jsonl').find(({ url }) => url.pathname.endsWith(part))?.body ?? '';
    expect(rest.readTrades(body('/trades'), routeOf('okx', 'BTC-USDT', DataType.TRADE), AT)).toMatchObject({
      events: [
        { tradeId: '734864332', price: '102537.9', size: '0.0000125', side: 'buy', exchangeTime: 1_747_087_161_666 },
        { tradeId: '734864333', price: '102537.9', size: '0.00013669', side: 'sell', exchangeTime: 1_747_087_163_557 },
      ],
      rejected: [],
    });
    expect(rest.readCandles(body('/candles'), routeOf('okx', 'BTC-USDT', DataType.CANDLE), '1m', AT)).toMatchObject({
      events: [
        {
          openTime: 1_625_097_600_000,
          closeTime: 1_625_097_660_000,
          high: '33870.0',
          volume: '778.838',
          closed: false,
        },
        { openTime: 1_625_097_660_000, close: '33782.1' },
      ],
      rejected: [],
    });
    expect(rest.readOrderBook(body('/books'), AT)).toMatchObject({
      type: 'snapshot',
      sequence: null,
      asks: [['41006.8', '0.60038921'], {}, ['41007.0', '2.05842530']],
    });
    const { data } = JSON.parse(body('/balance')) as { data: { details: unknown[] }[] };
    const balances = data
      .flatMap(({ details }) => details)
      .map((detail) => readPayload(detail, routeOf('okx', 'BTC-USDT', DataType.BALANCE), AT));
    expect(balances[0]).toMatchObject({ currency: 'USDT', total: '94.42612990333333', frozen: '5.468566666666667' });
  });
});

describe.runIf(hasFixtures('binance'))('binance', () => {
  const { rest } = EXCHANGES.binance;

  it('maps all 1,695 symbols of the recorded exchangeInfo', () => {
    const [answer] = answersOf('binance', 'spot.rest.exchangeInfo.2021-10.jsonl');
    const { symbols } = JSON.parse(answer?.body ?? '') as {
      symbols: { symbol: string; baseAsset: string; quoteAsset: string; status: string }[];
    };
    const listed = rest.readInstruments(answer?.body ?? '');
    expect(listed).toHaveLength(1_695);
    expect(new Set(listed.map(({ symbol }) => symbol)).size).toBe(1_695);
    expect(listed.map(({ nativeSymbol, symbol }) => [nativeSymbol, symbol])).toEqual(
      symbols.map((s) => [s.symbol, `${s.baseAsset}-${s.quoteAsset}`]),
    );
    expect(listed.filter(({ trading }) => trading)).toHaveLength(1_222);
    expect(symbols.filter(({ status }) => status === 'TRADING')).toHaveLength(1_262); // 40 of them not on the spot market
  });

  it.each([
    ['spot.rest.trades.jsonl', 17, 0],
    ['spot.rest.aggTrades.jsonl', 1_021, 4], // four rows lost the name of their `m` in the project that recorded them
  ])('reads the trades of %s', (file, accepted, rejected) => {
    const counts = { accepted: 0, rejected: 0 };
    for (const { body } of answersOf('binance', file)) {
      const read = rest.readTrades(body, routeOf('binance', 'BTCUSDT', DataType.TRADE), AT);
      const rows = (JSON.parse(body) as Record<string, unknown>[]).filter((row) => 'm' in row || 'isBuyerMaker' in row);
      expect(read.events).toMatchObject(
        rows.map((row) => ({
          ...{ tradeId: String(row.id ?? row.l), fillCount: row.id ? 1 : Number(row.l) - Number(row.f) + 1 },
          ...{ price: row.price ?? row.p, size: row.qty ?? row.q, exchangeTime: row.time ?? row.T },
          side: (row.isBuyerMaker ?? row.m) ? 'sell' : 'buy',
        })),
      );
      for (const { reason } of read.rejected) expect(reason).toBe('missing-field');
      counts.accepted += read.events.length;
      counts.rejected += read.rejected.length;
    }
    expect(counts).toEqual({ accepted, rejected });
  });

  it('reads the klines of every interval and labels them by their exclusive end', () => {
    let read = 0;
    for (const { url, body } of answersOf('binance', 'spot.rest.klines.jsonl')) {
      const interval = url.searchParams.get('interval') ?? '';
      const { events, rejected } = rest.readCandles(
        body,
        routeOf('binance', 'BTCUSDT', DataType.CANDLE, `kline_${interval}`),
        interval,
        AT,
      );
      const rows = JSON.parse(body) as (string | number)[][];
      expect(rejected).toEqual([]);
      expect(events).toMatchObject(
        rows.map(([openTime, open, high, low, close, volume, end, quoteVolume, tradeCount]) => ({
          ...{
            openTime,
            closeTime: Number(end) + 1,
            open,
            high,
            low,
            close,
            volume,
            quoteVolume,
            tradeCount,
            closed: true,
          },
        })),
      );
      read += events.length;
    }
    expect(read).toBe(1_431);
  });
});
