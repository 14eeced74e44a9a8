import { describe, expect, it } from 'vitest';
import { okx } from '../../src/exchanges/okx/adapter.ts';
import { DataType } from '../../src/market/data-type.ts';
import { RECEIVED_AT, routesOf } from './samples.ts';

const { rest } = okx;
const routes = routesOf(okx, new Map([['BTC-USDT', 'BTC-USDT']]));
const routeOf = (key: string) => {
  const route = routes.get(key);
  if (!route) throw new Error(`no route ${key}`);
  return route;
};
const answer = (data: unknown) => JSON.stringify({ code: '0', msg: '', data });
const trade = (tradeId: string, px = '1') => ({
  instId: 'BTC-USDT',
  side: 'sell',
  sz: '0.00013669',
  px,
  tradeId,
  ts: '1747087163557',
});

describe('requests', () => {
  it('pages trades into the past, below the given id', () => {
    expect(rest.tradesPage('BTC-USDT', { afterId: '100', beforeId: '300' })).toEqual({
      path: '/api/v5/market/history-trades',
      query: { instId: 'BTC-USDT', type: '1', after: '300', limit: '100' },
      weight: 10,
    });
  });

  it('finds the last trades before a time', () => {
    expect(rest.tradesAround('BTC-USDT', 1_747_087_163_557)).toEqual({
      path: '/api/v5/market/history-trades',
      query: { instId: 'BTC-USDT', type: '2', after: '1747087163557', limit: '10' },
      weight: 10,
    });
  });

  it('keeps the limit of every path with one budget, in any two seconds', () => {
    const allowed = (weight: number) => (rest.budget.weight + rest.budget.burst) / weight;
    expect(rest.budget.perMs).toBe(2_000);
    expect(allowed(rest.recentTrades('X').weight)).toBe(100);
    expect(allowed(rest.candles('X', '1m').weight)).toBe(40);
    expect(allowed(rest.orderBook('X').weight)).toBe(40);
    expect(allowed(rest.tradesPage('X', { afterId: '1', beforeId: '9' }).weight)).toBe(20);
    for (const { weight } of rest.instruments()) expect(allowed(weight)).toBe(20);
  });

  it('asks for candles in OKX words', () => {
    expect(rest.candles('BTC-USDT', '1h').query.bar).toBe('1H');
    expect(rest.candles('BTC-USDT', '1d').query.bar).toBe('1Dutc');
  });
});

describe('answers', () => {
  it('gives trades in ascending order of their ids, longer ids last', () => {
    const body = answer([trade('1000'), trade('999'), trade('x'), trade('99')]);
    const { events, rejected } = rest.readTrades(body, routeOf('trades-all:BTC-USDT'), RECEIVED_AT);
    expect(events.map((event) => event.kind === 'trade' && event.tradeId)).toEqual(['99', '999', '1000']);
    expect(rejected).toMatchObject([{ reason: 'bad-integer' }]);
  });

  it('gives candles in ascending order and says which one is unfinished', () => {
    const row = (ts: number, confirm: string) => [String(ts), '1', '2', '0.5', '1.5', '7', '8', '9', confirm];
    const body = answer([row(1_786_538_760_000, '0'), row(1_786_538_700_000, '1')]);
    const { events } = rest.readCandles(body, routeOf('candle1m:BTC-USDT'), '1m', RECEIVED_AT);
    expect(events).toMatchObject([
      { openTime: 1_786_538_700_000, closeTime: 1_786_538_760_000, closed: true },
      { openTime: 1_786_538_760_000, closeTime: 1_786_538_820_000, closed: false },
    ]);
  });

  it('reads an order book with the sequence it is bridged by', () => {
    const body = answer([
      { asks: [['2', '1', '0', '1']], bids: [['1', '1', '0', '1']], ts: '1704067200000', seqId: 55 },
    ]);
    expect(rest.readOrderBook(body, RECEIVED_AT)).toMatchObject({ type: 'snapshot', sequence: 55, asks: [['2', '1']] });
    expect(() => rest.readOrderBook(answer([]), RECEIVED_AT)).toThrow(
      expect.objectContaining({ code: 'FRAME_MALFORMED' }),
    );
  });

  it('lists instruments of every kind, and leaves out what it cannot read', () => {
    const body = answer([
      { instId: 'BTC-USDT', instType: 'SPOT', baseCcy: 'BTC', quoteCcy: 'USDT', state: 'live' },
      { instId: 'BTC-USD-SWAP', instType: 'SWAP', baseCcy: '', quoteCcy: '', state: 'suspend' },
      { instId: 'BTC-USD-220527', instType: 'FUTURES', baseCcy: '', quoteCcy: '', state: 'live' },
      { instId: 'X', instType: 'LOTTERY' },
      null,
    ]);
    expect(rest.readInstruments(body)).toEqual([
      { symbol: 'BTC-USDT', nativeSymbol: 'BTC-USDT', base: 'BTC', quote: 'USDT', kind: 'spot', trading: true },
      { symbol: 'BTC-USD-SWAP', nativeSymbol: 'BTC-USD-SWAP', base: 'BTC', quote: 'USD', kind: 'swap', trading: false },
      {
        symbol: 'BTC-USD-220527',
        nativeSymbol: 'BTC-USD-220527',
        base: 'BTC',
        quote: 'USD',
        kind: 'future',
        trading: true,
      },
    ]);
    expect(rest.readInstruments(answer([]))).toEqual([]);
    expect(() => rest.readInstruments(answer([null, 7]))).toThrow(/None of 2 rows/);
  });

  it("reads OKX's clock", () => {
    expect(rest.readTime(answer([{ ts: '1597026383085' }]))).toBe(1_597_026_383_085);
    expect(() => rest.readTime(answer([{ ts: '1597026383' }]))).toThrow(/ts should be a time in ms/);
  });

  it('tells an error in a successful answer from a list', () => {
    const body = '{"code":"50011","msg":"Too Many Requests","data":[]}';
    const route = routeOf(okx.channels('BTC-USDT', DataType.TRADE)[0]?.key ?? '');
    expect(() => rest.readTrades(body, route, RECEIVED_AT)).toThrow(
      expect.objectContaining({ code: 'EXCHANGE_REST_FAILED', message: expect.stringContaining('50011') }),
    );
  });

  it('tells an instrument that OKX does not have from other errors', () => {
    const body = '{"code":"51001","msg":"Instrument ID does not exist","data":[]}';
    expect(() => rest.readTrades(body, routeOf('trades-all:BTC-USDT'), RECEIVED_AT)).toThrow(
      expect.objectContaining({ code: 'SYMBOL_UNKNOWN', message: expect.stringContaining('51001') }),
    );
  });

  it.each([
    [429, '{"code":"50011","msg":"Too Many Requests"}', '50011', 'retry'],
    [400, '{"code":"51001","msg":"Instrument ID does not exist"}', '51001', 'drop-channel'],
    [401, '{"code":"50102","msg":"Timestamp request expired"}', '50102', 'retry-login'],
    [401, '{"code":"50113","msg":"Invalid Sign"}', '50113', 'stop-login'],
    [500, '{"code":"50026","msg":"System error"}', '50026', 'retry'],
    [400, '{"code":"59999","msg":"new"}', '59999', 'retry'],
    [403, '<html>firewall</html>', 'HTTP 403', 'drop-channel'],
  ])('reads the failure %i %s', (status, body, code, reaction) => {
    expect(rest.readFailure(status, body)).toMatchObject({ code, reaction });
  });
});
