import { describe, expect, it } from 'vitest';
import { binance } from '../../src/exchanges/binance/adapter.ts';
import { DataType } from '../../src/market/data-type.ts';
import { RECEIVED_AT, routesOf } from './samples.ts';

const routes = routesOf(binance, new Map([['BTCUSDT', 'BTC-USDT']]));
const read = (text: string) => binance.readFrame(text, RECEIVED_AT, routes);
const stream = (name: string, data: string) => `{"stream":"btcusdt@${name}","data":${data}}`;

const TRADE =
  '{"e":"trade","E":1786538760219,"s":"BTCUSDT","t":12345,"p":"0.001","q":"100","T":1786538760218,"m":true,"M":true}';
const TICKER =
  '{"e":"24hrTicker","E":1786538760219,"s":"BTCUSDT","c":"0.0025","Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100","o":"0.0010","h":"0.0027","l":"0.0009","v":"10000","q":"18"}';
const BOOK_TICKER = '{"u":400900217,"s":"BTCUSDT","b":"0.0030","B":"31","a":"0.0031","A":"40"}';
const DIFF =
  '{"e":"depthUpdate","E":1786538760219,"s":"BTCUSDT","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","0"]]}';

describe('streams', () => {
  it.each([
    [DataType.TRADE, undefined, ['trade']],
    [DataType.TRADE, 'aggTrade', ['aggTrade']],
    [DataType.TICKER, undefined, ['ticker', 'bookTicker']],
    [DataType.TICKER, 'bookTicker', ['bookTicker']],
    [DataType.ORDERBOOK, undefined, ['depth@100ms']],
    [DataType.ORDERBOOK, 'depth20@100ms', ['depth20@100ms']],
    [DataType.CANDLE, undefined, ['kline_1m']],
    [DataType.CANDLE, 'kline_1M', ['kline_1M']],
  ])('carries %s asked for as %s on %j', (dataType, asked, names) => {
    expect(binance.channels('BTCUSDT', dataType, asked)).toEqual(
      names.map((name) => ({ key: `btcusdt@${name}`, endpoint: 'public', dataType, name, nativeSymbol: 'BTCUSDT' })),
    );
  });

  it('subscribes in lower case with a numeric id', () => {
    expect(binance.subscribeFrames(binance.channels('BTCUSDT', DataType.TICKER), () => '1')).toEqual([
      {
        text: '{"method":"SUBSCRIBE","params":["btcusdt@ticker","btcusdt@bookTicker"],"id":1}',
        request: '1',
        channels: ['btcusdt@ticker', 'btcusdt@bookTicker'],
      },
    ]);
    expect(binance.unsubscribeFrames(binance.channels('BTCUSDT', DataType.TRADE), () => 'x7')[0]?.text).toBe(
      '{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":"x7"}',
    );
  });

  it('stays inside the limits Binance states', () => {
    expect(binance.heartbeat).toEqual({ by: 'server', everyMs: 20_000 });
    expect(binance.limits.framesPerSecond).toBeLessThan(5); // our pongs count too
    expect(binance.limits.connectsPerSecond * 300).toBeLessThanOrEqual(300);
    expect(binance.limits.channelsPerSocket).toBe(1_024);
    expect(binance.limits.socketLifeMs).toBeLessThan(24 * 3_600_000);
  });

  it('forms no symbol by itself, because BTCUSDT could be split anywhere', () => {
    expect(binance.needsInstruments).toBe(true);
    expect(() => binance.nativeSymbol('BTC-USDT')).toThrow(expect.objectContaining({ code: 'SYMBOL_UNKNOWN' }));
  });

  it('has nothing private', () => {
    expect(binance.dataTypes).not.toContain(DataType.BALANCE);
    expect(binance.loginFrame({ key: 'k', secret: 's', passphrase: '' }, 0)).toBeNull();
  });
});

describe('control frames', () => {
  it.each([
    ['{"result":null,"id":1}', { kind: 'subscribed', request: '1', channels: [] }],
    ['{"result":null,"id":"x7"}', { kind: 'subscribed', request: 'x7', channels: [] }],
    ['{"result":["btcusdt@aggTrade"],"id":3}', { kind: 'ignored', reason: 'list' }],
    [
      '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
      { kind: 'closing-soon', reason: 'server shutdown' },
    ],
    ['{"e":"serverShutdown","E":1770123456789}', { kind: 'closing-soon', reason: 'server shutdown' }],
    [
      '{"code":2,"msg":"Invalid request"}',
      { kind: 'error', reaction: 'drop-channel', code: '2', message: 'Invalid request', request: null, channels: [] },
    ],
    [
      '{"code":3,"msg":"Invalid JSON","id":4}',
      { kind: 'error', reaction: 'drop-channel', code: '3', message: 'Invalid JSON', request: '4', channels: [] },
    ],
    [
      '{"error":{"code":-1003,"msg":"slow"},"id":5}',
      { kind: 'error', reaction: 'retry', code: '-1003', message: 'slow', request: '5', channels: [] },
    ],
    ['{"stream":"!miniTicker@arr","data":[]}', { kind: 'ignored', reason: 'unwanted-channel' }],
    ['{"stream":"__proto__","data":{}}', { kind: 'ignored', reason: 'unwanted-channel' }],
    ['{"stream":"constructor@trade","data":{"e":"trade"}}', { kind: 'ignored', reason: 'unwanted-channel' }],
    ['{"e":"blockTrade","s":"BTCUSDT"}', { kind: 'ignored', reason: 'unknown-event' }],
    ['{"e":"__proto__","s":"__proto__"}', { kind: 'ignored', reason: 'unknown-event' }],
    ['{"lastUpdateId":160,"bids":[],"asks":[]}', { kind: 'ignored', reason: 'unknown-event' }],
  ])('understands %s', (text, frame) => {
    expect(read(text)).toEqual(frame);
  });

  it.each([
    '{"stream":7,"data":{}}',
    '{"stream":"btcusdt@trade"}',
    '{"stream":"btcusdt@trade","data":null}',
    '{"u":"x"}x',
    '{"id":1}',
  ])('refuses the frame %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'FRAME_MALFORMED' }));
  });
});

describe('data frames', () => {
  it.each([
    ['trade', TRADE],
    [
      'aggTrade',
      '{"e":"aggTrade","E":1786538760219,"s":"BTCUSDT","a":1,"p":"1","q":"2","f":5,"l":9,"T":1786538760218,"m":true}',
    ],
    ['ticker', TICKER],
    ['bookTicker', BOOK_TICKER],
    ['depth@100ms', DIFF],
    [
      'kline_1m',
      '{"e":"kline","E":1786538760219,"s":"BTCUSDT","k":{"t":1786538760000,"i":"1m","o":"1","c":"1","h":"1","l":"1","v":"1","n":1,"x":true,"q":"1"}}',
    ],
  ])('reads %s alike with and without its wrapper', (name, data) => {
    const wrapped = read(stream(name, data));
    expect(wrapped).toMatchObject({ channel: `btcusdt@${name}`, rejected: [] });
    expect(read(data)).toEqual(wrapped);
  });

  it('takes the seller for the taker where the buyer was the maker', () => {
    expect(read(stream('trade', TRADE))).toMatchObject({ events: [{ side: 'sell', tradeId: '12345', fillCount: 1 }] });
    expect(read(stream('trade', TRADE.replace('"m":true', '"m":false')))).toMatchObject({ events: [{ side: 'buy' }] });
  });

  it.each([
    ['"f":5,"l":9', '9', 5],
    ['"f":7,"l":7', '7', 1],
    ['"f":9007199254740993,"l":9007199254740994', '9007199254740994', 2],
  ])('counts the fills of an aggregate %s', (ids, tradeId, fillCount) => {
    const data = `{"e":"aggTrade","E":1786538760219,"s":"BTCUSDT","a":1,"p":"1","q":"2",${ids},"T":1786538760218,"m":true}`;
    expect(read(stream('aggTrade', data))).toMatchObject({ events: [{ tradeId, fillCount }], rejected: [] });
  });

  it.each([
    ['trade', TRADE.replace('"m":true', '"m":"true"'), 'wrong-type'],
    ['trade', TRADE.replace('"m":true,', ''), 'missing-field'],
    ['trade', TRADE.replace('BTCUSDT', 'ETHUSDT'), 'wrong-instrument'],
    ['aggTrade', TRADE.replace('"t":12345', '"f":9,"l":5'), 'bad-integer'],
    ['aggTrade', TRADE.replace('"t":12345', '"f":1,"l":99999999'), 'bad-integer'],
    ['ticker', '{"e":"24hrTicker","E":1786538760219,"s":"BTCUSDT"}', 'missing-field'],
    ['ticker', TICKER.replace('"E":1786538760219', '"E":"soon"'), 'bad-time'],
    ['bookTicker', BOOK_TICKER.replace('"0.0030"', '0.003'), 'wrong-type'],
    ['depth@100ms', DIFF.replace('"u":160', '"u":160.5'), 'bad-integer'],
    ['depth@100ms', DIFF.replace('"b":[["0.0024","10"]]', '"b":{}'), 'wrong-type'],
    ['depth5', '{"lastUpdateId":"x","bids":[],"asks":[]}', 'bad-integer'],
    ['kline_1m', '{"e":"kline","E":1786538760219,"s":"BTCUSDT"}', 'missing-field'],
    ['kline_1m', '{"e":"kline","s":"BTCUSDT","k":{"i":"5m"}}', 'bad-word'],
    ['kline_1m', '{"e":"kline","s":"BTCUSDT","k":{"i":"1m","x":1}}', 'wrong-type'],
  ])('rejects %s %s', (name, data, reason) => {
    expect(read(stream(name, data))).toMatchObject({ rejected: [{ reason }] });
  });

  it('makes a whole ticker of its two streams', () => {
    const payloads = [TICKER, BOOK_TICKER].map((data): object => JSON.parse(data));
    const [channel] = binance.channels('BTCUSDT', DataType.TICKER);
    if (!channel) throw new Error('no ticker channel');
    expect(
      binance.readPayload({ ...payloads[0], ...payloads[1] }, { channel, symbol: 'BTC-USDT' }, RECEIVED_AT),
    ).toMatchObject({
      ...{ kind: 'ticker', exchangeTime: RECEIVED_AT, last: '0.0025', lastSize: '10', bid: '0.0030', bidSize: '31' },
      ...{
        ask: '0.0031',
        askSize: '40',
        open24h: '0.0010',
        high24h: '0.0027',
        volume24h: '10000',
        quoteVolume24h: '18',
      },
    });
  });

  it('takes the time of a best bid and ask from the exchange where it sends one', () => {
    const futures = BOOK_TICKER.replace('{', '{"e":"bookTicker","T":1786538760100,"E":1786538760105,');
    expect(read(stream('bookTicker', futures))).toMatchObject({ events: [{ exchangeTime: 1_786_538_760_105 }] });
  });

  it.each([
    ['1m', 1_786_538_760_000, 1_786_538_820_000],
    ['1w', Date.UTC(2026, 7, 10), Date.UTC(2026, 7, 17)],
    ['1M', Date.UTC(2028, 1, 1), Date.UTC(2028, 2, 1)],
  ])('labels a kline of %s by its exclusive end, not by the millisecond before', (interval, open, closeTime) => {
    const data = `{"e":"kline","E":1786538760219,"s":"BTCUSDT","k":{"t":${open},"T":${closeTime - 1},"i":"${interval}","o":"1","c":"1","h":"1","l":"1","v":"1","n":1,"x":true,"q":"1"}}`;
    expect(read(stream(`kline_${interval}`, data))).toMatchObject({
      events: [{ openTime: open, closeTime, exchangeTime: closeTime, closed: true }],
    });
  });
});

describe('order books', () => {
  it('chains a diff to the one that ended before its first change', () => {
    expect(read(stream('depth@100ms', DIFF))).toEqual({
      kind: 'book',
      channel: 'btcusdt@depth@100ms',
      changes: [
        {
          ...{ type: 'delta', exchangeTime: 1_786_538_760_219, receivedAt: RECEIVED_AT, previous: 156, sequence: 160 },
          ...{ bids: [['0.0024', '10']], asks: [['0.0026', '0']], checksum: null },
        },
      ],
      rejected: [],
    });
  });

  it('chains a futures diff by the end it names', () => {
    expect(read(stream('depth@100ms', DIFF.replace('"U":157', '"U":157,"pu":149')))).toMatchObject({
      changes: [{ previous: 149 }],
    });
  });

  it('replaces the whole book by a partial depth, which has no time of its own', () => {
    expect(read(stream('depth5', '{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[]}'))).toMatchObject({
      channel: 'btcusdt@depth5',
      changes: [{ type: 'snapshot', sequence: 160, exchangeTime: RECEIVED_AT, bids: [['0.0024', '10']], asks: [] }],
    });
  });
});
