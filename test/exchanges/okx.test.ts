import { describe, expect, it } from 'vitest';
import { okx } from '../../src/exchanges/okx/adapter.ts';
import { bookChecksum } from '../../src/exchanges/okx/records.ts';
import { DataType } from '../../src/market/data-type.ts';
import { decimal } from '../../src/market/decimal.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { RECEIVED_AT, routesOf } from './samples.ts';

const routes = routesOf(
  okx,
  new Map([
    ['BTC-USDT', 'BTC-USDT'],
    ['BTC-USDT-SWAP', 'BTC-USDT-SWAP'],
  ]),
);
const read = (text: string) => okx.readFrame(text, RECEIVED_AT, routes);
const data = (channel: string, records: string, action = '', instId = 'BTC-USDT') =>
  `{"arg":{"channel":"${channel}","instId":"${instId}"},${action}"data":[${records}]}`;
const levels = (...list: readonly (readonly [string, string])[]) =>
  list.map(([price, size]) => [decimal(price), decimal(size)] as const);

describe('channels', () => {
  it.each([
    [DataType.TRADE, undefined, 'trades-all', 'business'],
    [DataType.TRADE, 'trades', 'trades', 'public'],
    [DataType.TICKER, undefined, 'tickers', 'public'],
    [DataType.ORDERBOOK, undefined, 'books5', 'public'],
    [DataType.ORDERBOOK, 'books', 'books', 'public'],
    [DataType.ORDERBOOK, 'bbo-tbt', 'bbo-tbt', 'public'],
    [DataType.CANDLE, undefined, 'candle1m', 'business'],
    [DataType.CANDLE, 'candle1Dutc', 'candle1Dutc', 'business'],
  ])('puts %s asked for as %s on the channel %s of the %s URL', (type, asked, name, endpoint) => {
    expect(okx.channels('BTC-USDT', type, asked)).toEqual([
      { key: `${name}:BTC-USDT`, endpoint, dataType: type, name, nativeSymbol: 'BTC-USDT' },
    ]);
  });

  it('has one private channel for all currencies', () => {
    expect(okx.channels('BTC-USDT', DataType.BALANCE)).toEqual([
      { key: 'account', endpoint: 'private', dataType: DataType.BALANCE, name: 'account', nativeSymbol: null },
    ]);
  });

  it('does not offer days that are cut at UTC+8', () => {
    expect(() => okx.channels('BTC-USDT', DataType.CANDLE, 'candle1D')).toThrow(/candle1Dutc/);
  });

  it.each(['BTC-USDT', 'BTC-USDT-SWAP', 'BTC-USD-220527', 'BTC-USDT_UM-SWAP', 'BTC-USD-241227-50000-C'])(
    '%s is native as it is',
    (symbol) => {
      expect(okx.nativeSymbol(symbol)).toBe(symbol);
    },
  );

  it.each(['BTCUSDT', 'BTC/USDT', 'BTC-', '', 'BTC-USDT&x=1', 'BTC-US DT', '-', 'A-'.repeat(99)])(
    '"%s" is no symbol',
    (symbol) => {
      expect(() => okx.nativeSymbol(symbol)).toThrow(AppError);
    },
  );

  it('stays inside the limits OKX states', () => {
    expect(okx.heartbeat).toMatchObject({ by: 'client', text: 'ping' });
    expect(okx.connection.ping_interval).toBeLessThan(30); // silence after which OKX cuts
    expect(okx.limits).toMatchObject({ connectsPerSecond: 3, requestsPerHour: 480 });
  });

  it('subscribes with an id and one argument per channel', () => {
    const channels = [...okx.channels('BTC-USDT', DataType.TICKER), ...okx.channels('BTC-USDT', DataType.BALANCE)];
    expect(okx.subscribeFrames(channels, () => 's1')).toEqual([
      {
        text: '{"id":"s1","op":"subscribe","args":[{"channel":"tickers","instId":"BTC-USDT"},{"channel":"account"}]}',
        request: 's1',
        channels: ['tickers:BTC-USDT', 'account'],
      },
    ]);
    expect(okx.unsubscribeFrames(channels.slice(1), () => 'u1')[0]?.text).toBe(
      '{"id":"u1","op":"unsubscribe","args":[{"channel":"account"}]}',
    );
  });

  it('signs a login as in the worked example of its documentation', () => {
    const credentials = { key: 'k', secret: '22582BD0CFF14C41EDBF1AB98506286D', passphrase: 'p' };
    expect(JSON.parse(okx.loginFrame(credentials, 1_704_876_947_999) ?? '')).toEqual({
      op: 'login',
      args: [
        { apiKey: 'k', passphrase: 'p', timestamp: '1704876947', sign: '5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU=' },
      ],
    });
  });
});

describe('control frames', () => {
  it.each([
    ['pong', { kind: 'pong' }],
    ['ping', { kind: 'ignored', reason: 'ping' }],
    [
      '{"event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"}}',
      { kind: 'subscribed', request: null, channels: ['tickers:BTC-USDT'] },
    ],
    [
      '{"id":"7","event":"subscribe","arg":{"channel":"account"},"connId":"a"}',
      { kind: 'subscribed', request: '7', channels: ['account'] },
    ],
    [
      '{"id":"8","event":"unsubscribe","arg":{"channel":"trades","instId":"A-B"},"connId":"a"}',
      { kind: 'unsubscribed', request: '8', channels: ['trades:A-B'] },
    ],
    ['{"event":"login","code":"0","msg":"","connId":"a"}', { kind: 'logged-in' }],
    [
      '{"event":"notice","code":"64008","msg":"The connection will soon be closed","connId":"a"}',
      { kind: 'closing-soon', reason: 'service upgrade' },
    ],
    ['{"event":"error","code":"64008","msg":"upgrade"}', { kind: 'closing-soon', reason: 'service upgrade' }],
    ['{"event":"notice","code":"1","msg":"hello"}', { kind: 'ignored', reason: 'notice' }],
    [
      '{"event":"channel-conn-count","channel":"account","connCount":"2","connId":"a"}',
      { kind: 'ignored', reason: 'connection-count' },
    ],
    ['{"event":"something-new"}', { kind: 'ignored', reason: 'unknown-event' }],
    ['{"event":"__proto__"}', { kind: 'ignored', reason: 'unknown-event' }],
    ['{"event":{"a":1}}', { kind: 'ignored', reason: 'unknown-event' }],
  ])('understands %s', (text, frame) => {
    expect(read(text)).toEqual(frame);
  });

  it('takes a login that is answered with a code for refused', () => {
    expect(read('{"event":"login","code":"60009","msg":"Login failed."}')).toMatchObject({
      kind: 'error',
      reaction: 'stop-login',
    });
  });

  it('asks again later for a private channel that too many connections hold', () => {
    expect(
      read('{"event":"channel-conn-count-error","channel":"account","connCount":"30","connId":"a"}'),
    ).toMatchObject({
      kind: 'error',
      reaction: 'retry',
      channels: ['account'],
    });
  });

  it.each([
    ['drop-channel', [60012, 60013, 60017, 60018, 60019, 60027, 60028, 64000, 64001, 64002, 64004]],
    ['drop-channel', [60029, 60030, 64003]],
    ['stop-login', [60001, 60002, 60003, 60004, 60005, 60007, 60008, 60009, 60024, 60032]],
    ['retry-login', [60006, 60011, 60023, 63999]],
    ['retry', [60014, 64007, 50001, 50004, 50005, 50011, 50013, 50026, 61234]],
    ['reconnect', [60015, 60016]],
  ])('reacts with %s to %s', (reaction, codes) => {
    for (const code of codes)
      expect(read(`{"event":"error","code":"${code}","msg":"m","id":"9"}`)).toMatchObject({
        kind: 'error',
        reaction,
        code: `${code}`,
        request: '9',
      });
  });

  it.each([
    ['an argument', ',"arg":{"channel":"books","instId":"X-Y"}', 'no', ['books:X-Y']],
    ['words', '', "channel:ticker,instId:BTC-USDT doesn't exist", ['ticker:BTC-USDT']],
    [
      'a sentence',
      '',
      "Wrong URL or channel:candle1m,instId:BTC-USDT-SWAP doesn't exist. Please use the correct URL.",
      ['candle1m:BTC-USDT-SWAP'],
    ],
    ['words about an account channel', '', "channel:account doesn't exist", ['account']],
    [
      'the request repeated',
      '',
      'Invalid request: {\\"op\\": \\"subscribe\\", \\"args\\":[{ \\"channel\\" : \\"trades\\", \\"instId\\" : \\"A-B\\"}]}',
      ['trades:A-B'],
    ],
    [
      'a request cut short',
      '',
      'Invalid request: {\\"op\\": \\"subscribe\\", \\"args\\":[{ \\"channel\\" : \\"tra',
      [],
    ],
    ['nothing', '', '', []],
  ])('reads the channel of an error from %s', (_where, arg, message, channels) => {
    expect(read(`{"event":"error","code":"60012","msg":"${message}"${arg}}`)).toMatchObject({
      kind: 'error',
      channels,
    });
  });

  it('accuses none of the channels of a repeated request, but tells which request it was', () => {
    const request = JSON.stringify({
      id: '5',
      op: 'subscribe',
      args: [
        { channel: 'trades', instId: 'A-B' },
        { channel: 'trades', instId: 'C-D' },
      ],
    });
    const frame = read(JSON.stringify({ event: 'error', code: '60012', msg: `Invalid request: ${request}` }));
    expect(frame).toMatchObject({ kind: 'error', reaction: 'drop-channel', request: '5', channels: [] });
  });

  it('does not repeat the key and passphrase of a refused login', () => {
    const login = okx.loginFrame({ key: 'the-key', secret: 's', passphrase: 'the-phrase' }, 0);
    const frame = read(JSON.stringify({ event: 'error', code: '60012', msg: `Invalid request: ${login}` }));
    expect(frame).toMatchObject({ kind: 'error', message: 'Invalid login request (not shown).' });
    expect(JSON.stringify(frame)).not.toMatch(/the-key|the-phrase/);
  });

  it.each([
    '{"event":"subscribe"}',
    '{"event":"subscribe","arg":{"channel":7}}',
    '{"arg":{"channel":"tickers","instId":"BTC-USDT"}}',
    '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":{}}',
    '{"arg":null,"data":[]}',
    '{"data":[]}',
    data('books', '{}'),
    data('books', '{}', '"action":"replace",'),
  ])('refuses the frame %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'FRAME_MALFORMED' }));
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])(
    'is not fooled by a channel or an instrument named %s',
    (name) => {
      expect(read(data(name, '{}'))).toEqual({ kind: 'ignored', reason: 'unwanted-channel' });
      expect(read(data('tickers', '{}', '', name))).toEqual({ kind: 'ignored', reason: 'unwanted-channel' });
      expect(read(`{"event":"subscribe","arg":{"channel":"${name}","instId":"${name}"}}`)).toMatchObject({
        channels: [`${name}:${name}`],
      });
    },
  );
});

const trade = (id: string, extra = '', px = '1.5') =>
  `{"instId":"BTC-USDT","tradeId":"${id}","px":"${px}","sz":"2","side":"buy","ts":"1786538760218"${extra}}`;

describe('data frames', () => {
  it('keeps the neighbours of a bad record and says where it was', () => {
    const frame = read(data('trades-all', [trade('1'), trade('2', '', 'NaN'), 'null', '[]', trade('3')].join()));
    expect(frame).toMatchObject({
      kind: 'events',
      channel: 'trades-all:BTC-USDT',
      events: [{ tradeId: '1' }, { tradeId: '3' }],
      rejected: [
        { reason: 'bad-decimal', detail: expect.stringMatching(/^data\[1\]: px should be .*"NaN"$/) },
        { reason: 'missing-field' },
        { reason: 'wrong-type' },
      ],
    });
  });

  it.each([
    ['', 1],
    [',"count":"1"', 1],
    [',"count":"10"', 10],
  ])('counts the fills of a trade with%s', (count, fillCount) => {
    expect(read(data('trades', trade('9', count)))).toMatchObject({ events: [{ tradeId: '9', fillCount }] });
  });

  it.each([
    [',"count":"0"', 'bad-integer'],
    [',"count":"-1"', 'bad-integer'],
    [',"count":"9999999"', 'bad-integer'],
    [',"count":null', 'missing-field'],
    [',"side":"both"', 'bad-word'],
    [',"side":null', 'missing-field'],
    [',"instId":"ETH-USDT"', 'wrong-instrument'],
    [',"instId":7', 'wrong-instrument'],
  ])('rejects a trade with %s as %s', (extra, reason) => {
    expect(read(data('trades', trade('9', extra)))).toMatchObject({ events: [], rejected: [{ reason }] });
  });

  it('has no quote volume for a ticker of a derivative, whose figures are contracts and base currency', () => {
    const ticker = '{"instType":"SWAP","last":"1","vol24h":"5","volCcy24h":"6","ts":"1786538760218"}';
    expect(read(data('tickers', ticker, '', 'BTC-USDT-SWAP'))).toMatchObject({
      events: [{ symbol: 'BTC-USDT-SWAP', volume24h: '5', quoteVolume24h: null, bid: null }],
    });
  });

  it.each([
    ['candle1m', '1786538760000', 1_786_538_820_000, '1m'],
    ['candle1H', '1786536000000', 1_786_539_600_000, '1h'],
    ['candle1Wutc', String(Date.UTC(2026, 7, 10)), Date.UTC(2026, 7, 17), '1w'],
    ['candle1Mutc', String(Date.UTC(2028, 1, 1)), Date.UTC(2028, 2, 1), '1M'],
    ['candle1Mutc', String(Date.UTC(2026, 11, 1)), Date.UTC(2027, 0, 1), '1M'],
  ])('ends a row of %s that opens at %s at %i', (channel, open, closeTime, interval) => {
    const row = `["${open}","1","1","1","1","0","0","0","0"]`;
    expect(read(data(channel, row))).toMatchObject({
      events: [{ interval, openTime: Number(open), closeTime, exchangeTime: closeTime, closed: false }],
    });
  });

  it.each([
    '["1786538760000","1","1","1","1","0","0","0"]',
    '["1786538760000","1","1","1","1","0","0","0","2"]',
    '{"ts":"1786538760000"}',
    '[]',
    '"row"',
  ])('rejects the candle row %s', (row) => {
    expect(read(data('candle1m', row))).toMatchObject({ events: [], rejected: [{}] });
  });

  it('has no balances in an account without currencies', () => {
    expect(read('{"arg":{"channel":"account"},"data":[{"uTime":"1751531646836","details":[]}]}')).toMatchObject({
      events: [],
      rejected: [],
    });
  });
});

describe('order books', () => {
  const book = (rest: string, asks = '["2","3","0","1"]') =>
    `{"asks":[${asks}],"bids":[["1.10","0","0","1"]],"ts":"1786538760218"${rest}}`;

  it('chains a snapshot and its updates by sequence', () => {
    const [bids, asks] = [[['1.10', '0']], [['2', '3']]];
    const common = { exchangeTime: 1_786_538_760_218, receivedAt: RECEIVED_AT, bids, asks };
    expect(read(data('books', book(',"checksum":0,"seqId":123,"prevSeqId":-1'), '"action":"snapshot",'))).toEqual({
      kind: 'book',
      channel: 'books:BTC-USDT',
      changes: [{ type: 'snapshot', ...common, sequence: 123, checksum: null }],
      rejected: [],
    });
    expect(
      read(data('books', book(',"checksum":-855196043,"seqId":130,"prevSeqId":123'), '"action":"update",')),
    ).toMatchObject({
      changes: [{ type: 'delta', ...common, sequence: 130, previous: 123, checksum: -855196043 }],
    });
  });

  it.each(['books5', 'bbo-tbt'])('replaces the whole book by each frame of %s', (channel) => {
    expect(read(data(channel, book(',"instId":"BTC-USDT","seqId":9')))).toMatchObject({
      changes: [{ type: 'snapshot', sequence: 9, checksum: null }],
      rejected: [],
    });
  });

  it.each([
    ['a level that is no array', book(',"seqId":1', '"2"'), 'wrong-type'],
    ['a level without size', book(',"seqId":1', '["2"]'), 'missing-field'],
    ['a negative size', book(',"seqId":1', '["2","-3"]'), 'bad-decimal'],
    ['a sequence in words', book(',"seqId":"x"'), 'bad-integer'],
    ['a sequence beyond 2^53', book(',"seqId":9007199254740993'), 'bad-integer'],
    ['another instrument', book(',"instId":"ETH-USDT"'), 'wrong-instrument'],
    ['one side only', '{"asks":[],"ts":"1786538760218"}', 'missing-field'],
  ])('rejects a change with %s as a whole, so that the chain breaks and is mended', (_what, record, reason) => {
    expect(read(data('books5', record))).toMatchObject({ kind: 'book', changes: [], rejected: [{ reason }] });
  });

  it('computes the historic checksum of the worked example, also when one side is shorter', () => {
    const asks = levels(['3366.8', '9'], ['3368', '8'], ['3372', '8']);
    expect(bookChecksum(levels(['3366.1', '7'], ['3366', '6']), asks)).toBe(1_362_239_393);
    expect(bookChecksum([], [])).toBe(0);
  });
});
