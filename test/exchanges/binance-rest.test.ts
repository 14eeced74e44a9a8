import { describe, expect, it } from 'vitest';
import { binance } from '../../src/exchanges/binance/adapter.ts';
import { RECEIVED_AT, routesOf } from './samples.ts';

const { rest } = binance;
const routes = routesOf(binance, new Map([['BTCUSDT', 'BTC-USDT']]));
const routeOf = (key: string) => {
  const route = routes.get(key);
  if (!route) throw new Error(`no route ${key}`);
  return route;
};

describe('requests', () => {
  it('pages trades upwards, from behind the given id, to the last digit', () => {
    expect(rest.tradesPage('BTCUSDT', { afterId: '9007199254740993', beforeId: '9007199254740999' })).toEqual({
      path: '/api/v3/historicalTrades',
      query: { symbol: 'BTCUSDT', fromId: '9007199254740994', limit: '1000' },
      weight: 25,
    });
  });

  it('finds the first trades from a time on, within the hour that Binance allows', () => {
    expect(rest.tradesAround('BTCUSDT', 1_747_087_163_557)).toEqual({
      path: '/api/v3/aggTrades',
      query: { symbol: 'BTCUSDT', startTime: '1747087163557', endTime: '1747090763556', limit: '10' },
      weight: 4,
    });
  });

  it('leaves room in the worst minute for whoever shares the address', () => {
    expect(rest.budget.weight + rest.budget.burst).toBeLessThan(6_000);
  });

  it('takes the snapshot of a book at a fifth of the weight of the deepest', () => {
    expect(rest.orderBook('BTCUSDT')).toMatchObject({ query: { limit: '1000' }, weight: 50 });
  });
});

describe('answers', () => {
  it('gives trades of both shapes in ascending order of their ids', () => {
    const body = JSON.stringify([
      { id: 1000, price: '2', qty: '3', quoteQty: '6', time: 1_603_949_112_567, isBuyerMaker: true, isBestMatch: true },
      { id: 999, price: '2', qty: '3', quoteQty: '6', time: 1_603_949_112_567, isBuyerMaker: false, isBestMatch: true },
      { id: 998, price: 'x' },
      { a: 7, p: '2', q: '3', f: 90, l: 95, T: 1_603_949_112_567, m: true, M: true },
    ]);
    const { events, rejected } = rest.readTrades(body, routeOf('btcusdt@trade'), RECEIVED_AT);
    expect(events).toMatchObject([
      { tradeId: '95', fillCount: 6, side: 'sell' },
      { tradeId: '999', fillCount: 1, side: 'buy' },
      { tradeId: '1000', fillCount: 1, side: 'sell', price: '2', size: '3', exchangeTime: 1_603_949_112_567 },
    ]);
    expect(rejected).toHaveLength(1);
  });

  it('calls a kline closed once its end has passed', () => {
    const row = (open: number) => [open, '1', '2', '0.5', '1.5', '7', open + 59_999, '8', 42, '1', '1', '0'];
    const body = JSON.stringify([row(1_786_538_760_000), row(1_786_538_700_000)]);
    const { events } = rest.readCandles(body, routeOf('btcusdt@kline_1m'), '1m', RECEIVED_AT);
    expect(events).toMatchObject([
      { openTime: 1_786_538_700_000, closeTime: 1_786_538_760_000, closed: true, tradeCount: 42, quoteVolume: '8' },
      { openTime: 1_786_538_760_000, closeTime: 1_786_538_820_000, closed: false },
    ]);
    expect(binance.readPayload(row(1_786_538_700_000), routeOf('btcusdt@kline_1m'), RECEIVED_AT)).toEqual(events[0]);
  });

  it("reads Binance's clock", () => {
    expect(rest.readTime('{"serverTime":1499827319559}')).toBe(1_499_827_319_559);
    expect(() => rest.readTime('{}')).toThrow(/serverTime should be a time in ms/);
  });

  it('splits symbols only where the list says', () => {
    const listed = {
      symbol: 'BTCUSDT',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      status: 'TRADING',
      isSpotTradingAllowed: true,
    };
    const body = JSON.stringify({
      symbols: [listed, { ...listed, symbol: 'LUNAUSDT', baseAsset: 'LUNA', status: 'BREAK' }, { symbol: 'X' }, null],
    });
    expect(rest.readInstruments(body)).toEqual([
      { symbol: 'BTC-USDT', nativeSymbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', kind: 'spot', trading: true },
      { symbol: 'LUNA-USDT', nativeSymbol: 'LUNAUSDT', base: 'LUNA', quote: 'USDT', kind: 'spot', trading: false },
    ]);
  });

  it.each([
    [400, '{"code":-1121,"msg":"Invalid symbol."}', '-1121', 'drop-channel'],
    [429, '{"code":-1003,"msg":"Too much request weight used"}', '-1003', 'retry'],
    [418, '{"code":-1003,"msg":"Way too much; IP banned"}', '-1003', 'retry'],
    [418, '', 'HTTP 418', 'retry'],
    [403, '<html>WAF</html>', 'HTTP 403', 'retry'],
    [400, '{"code":-1021,"msg":"Timestamp outside of recvWindow"}', '-1021', 'retry-login'],
    [401, '{"code":-2015,"msg":"Invalid API-key"}', '-2015', 'stop-login'],
  ])('reads the failure %i %s', (status, body, code, reaction) => {
    expect(rest.readFailure(status, body)).toMatchObject({ code, reaction });
  });
});
