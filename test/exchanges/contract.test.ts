import { describe, expect, it } from 'vitest';
import type { Channel, Frame } from '../../src/exchanges/adapter.ts';
import { EXCHANGES, type ExchangeId, isExchangeId } from '../../src/exchanges/registry.ts';
import { DATA_TYPES, DataType } from '../../src/market/data-type.ts';
import { isDecimal } from '../../src/market/decimal.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { GOOD_TRADE, RECEIVED_AT, routesOf, SAMPLES, type TradeText, withoutRaw } from './samples.ts';

const codeOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    return error instanceof AppError ? error.code : `no AppError: ${String(error)}`;
  }
  return 'nothing thrown';
};

it('knows an exchange by its id and by nothing an object inherits', () => {
  expect(Object.keys(EXCHANGES).map(isExchangeId)).not.toContain(false);
  for (const stranger of ['__proto__', 'constructor', 'toString', 'OKX', '', 7, null])
    expect(isExchangeId(stranger)).toBe(false);
});

describe.each(Object.keys(EXCHANGES) as ExchangeId[])('%s', (id) => {
  const adapter = EXCHANGES[id];
  const samples = SAMPLES[id];
  const routes = routesOf(adapter, new Map([[samples.nativeSymbol, samples.symbol]]));
  const read = (text: string): Frame => adapter.readFrame(text, RECEIVED_AT, routes);
  const allChannels = (nativeSymbol: string): readonly Channel[] =>
    adapter.dataTypes.flatMap((type) =>
      (adapter.channelNames[type] ?? []).flatMap((name) => adapter.channels(nativeSymbol, type, name)),
    );

  it('says who it is, where it lives and where its frames are documented', () => {
    expect(adapter.id).toBe(id);
    expect(adapter.docs).toMatch(/^https:\/\//);
    const { public_ws_url, business_ws_url, private_ws_url, rest_url } = adapter.connection;
    for (const url of [public_ws_url, business_ws_url, private_ws_url]) expect(new URL(url).protocol).toBe('wss:');
    expect(new URL(rest_url).protocol).toBe('https:');
  });

  it('has a channel for every data type it offers, and for no other', () => {
    expect(Object.keys(adapter.channelNames).sort()).toEqual([...adapter.dataTypes].sort());
    for (const type of adapter.dataTypes) {
      const [byDefault, named] = [
        adapter.channels('X', type),
        adapter.channels('X', type, adapter.channelNames[type]?.[0]),
      ];
      expect(byDefault).toEqual(named);
      expect(byDefault.every((channel) => channel.dataType === type)).toBe(true);
    }
    for (const type of DATA_TYPES.filter((any) => !adapter.dataTypes.includes(any)))
      expect(codeOf(() => adapter.channels('X', type))).toBe('COLLECTOR_CONFIG_INVALID');
  });

  it('gives no two different channels the same key', () => {
    const channels = [...allChannels('AAA-BBB'), ...allChannels('AAA-CCC')];
    const byKey = new Map(channels.map((channel) => [channel.key, channel]));
    for (const channel of channels) expect(byKey.get(channel.key)).toEqual(channel);
    expect(byKey.size).toBeGreaterThan(adapter.dataTypes.length);
  });

  it.each(['no-such-channel', '', '__proto__', 'constructor', 'toString'])('refuses the channel name "%s"', (name) => {
    for (const type of adapter.dataTypes)
      expect(codeOf(() => adapter.channels('X', type, name))).toBe('COLLECTOR_CONFIG_INVALID');
  });

  it.each(['subscribeFrames', 'unsubscribeFrames'] as const)(
    '%s asks for each of 5,000 channels once, in frames below the limit',
    (ask) => {
      const channels = Array.from({ length: 5_000 }, (_, n) =>
        adapter.channels(`COIN${n}-USDT`, DataType.TRADE),
      ).flat();
      let requests = 0;
      const frames = adapter[ask](channels, () => String(++requests));
      expect(frames.flatMap((frame) => frame.channels)).toEqual(channels.map((channel) => channel.key));
      expect(frames.map((frame) => frame.request)).toEqual(frames.map((_, n) => String(n + 1)));
      for (const { text } of frames) expect(Buffer.byteLength(text)).toBeLessThan(samples.maxRequestBytes);
      const total = frames.reduce((bytes, { text }) => bytes + Buffer.byteLength(text), 0);
      expect(frames.length).toBeLessThan((total / samples.maxRequestBytes) * 1.3 + 1);
      expect(adapter[ask]([], () => 'never')).toEqual([]);
    },
  );

  it.each(samples.frames)(
    'reads $channelName and reads its stored payload back',
    ({ frame, events, dataType, channelName }) => {
      const understood = read(frame);
      if (understood.kind !== 'events') throw new Error(`was ${understood.kind}`);
      expect(understood.rejected).toEqual([]);
      expect(understood.events.map(withoutRaw)).toEqual(events);
      const route = routes.get(understood.channel);
      expect(route?.channel).toMatchObject({ name: channelName, dataType });
      for (const event of understood.events)
        expect(route && adapter.readPayload(JSON.parse(JSON.stringify(event.raw)), route, RECEIVED_AT)).toEqual(event);
    },
  );

  it('reads a stored order book back', () => {
    const [channel] = adapter.channels(samples.nativeSymbol, DataType.ORDERBOOK);
    if (!channel) throw new Error('no order book channel');
    const payload = { bids: [['1.10', '2']], asks: [['1.2', '3.0']], sequence: 7, validity: 'VALID' };
    const route = { channel, symbol: samples.symbol };
    const book = adapter.readPayload(payload, route, RECEIVED_AT);
    expect(book).toMatchObject({ kind: 'orderbook', exchange: id, symbol: samples.symbol, ...payload });
    expect(adapter.readPayload({ ...payload, sequence: null }, route, RECEIVED_AT)).toMatchObject({ sequence: null });
    expect(codeOf(() => adapter.readPayload({ ...payload, validity: 'FINE' }, route, RECEIVED_AT))).toBe(
      'FRAME_MALFORMED',
    );
  });

  it.each(samples.frames)('ignores $channelName when nobody wants it', ({ frame }) => {
    expect(adapter.readFrame(frame, RECEIVED_AT, new Map())).toEqual({ kind: 'ignored', reason: 'unwanted-channel' });
  });

  it('keeps every digit of an id beyond 2^53, quoted or not', () => {
    for (const digits of ['9007199254740993', '123456789012345678901234567890']) {
      const frame = read(samples.trade({ ...GOOD_TRADE, id: `"${digits}"` }));
      expect(frame).toMatchObject({ kind: 'events', events: [{ tradeId: digits }], rejected: [] });
    }
  });

  it.each<[string, Partial<TradeText>, string]>([
    ['a price with an exponent', { price: '"1e5"' }, 'bad-decimal'],
    ['a price with a comma', { price: '"64,040"' }, 'bad-decimal'],
    ['a price that is not a number', { price: '"NaN"' }, 'bad-decimal'],
    ['an infinite price', { price: '"Infinity"' }, 'bad-decimal'],
    ['an empty price', { price: '""' }, 'bad-decimal'],
    ['a price of many digits', { price: `"${'9'.repeat(61)}"` }, 'bad-decimal'],
    ['a price with spaces', { price: '" 1 "' }, 'bad-decimal'],
    ['a price in other digits', { price: '"١٢"' }, 'bad-decimal'],
    ['a price without fraction digits', { price: '"1."' }, 'bad-decimal'],
    ['a price as a float', { price: '64040.2' }, 'wrong-type'],
    ['a price that is null', { price: 'null' }, 'missing-field'],
    ['a price that is an object', { price: '{"toString":1}' }, 'wrong-type'],
    ['a negative size', { size: '"-1"' }, 'bad-decimal'],
    ['a size that is an array', { size: '["1"]' }, 'wrong-type'],
    ['a time in seconds', { time: '"1786538760"' }, 'bad-time'],
    ['a time in microseconds', { time: '"1786538760218000"' }, 'bad-time'],
    ['a time with a fraction', { time: '1786538760218.5' }, 'bad-time'],
    ['a time in words', { time: '"yesterday"' }, 'bad-time'],
    ['a time that is null', { time: 'null' }, 'missing-field'],
    ['an id with letters', { id: '"abc"' }, 'bad-integer'],
    ['a negative id', { id: '-5' }, 'bad-integer'],
    ['an id with a fraction', { id: '5.5' }, 'bad-integer'],
    ['an id of many digits', { id: `"${'9'.repeat(41)}"` }, 'bad-integer'],
    ['an id that is null', { id: 'null' }, 'missing-field'],
  ])('rejects %s with a word of a bounded set', (_what, bad, reason) => {
    const frame = read(samples.trade({ ...GOOD_TRADE, ...bad }));
    if (frame.kind !== 'events') throw new Error(`was ${frame.kind}`);
    expect(frame.events).toEqual([]);
    expect(frame.rejected.map((rejected) => rejected.reason)).toEqual([reason]);
    for (const { detail } of frame.rejected) expect(detail.length).toBeLessThanOrEqual(300);
  });

  it('passes a good trade through to the last digit', () => {
    const price = '"0.0000000123"';
    const frame = read(samples.trade({ ...GOOD_TRADE, price }));
    if (frame.kind !== 'events' || frame.events[0]?.kind !== 'trade') throw new Error(`was ${frame.kind}`);
    expect(frame.events[0]).toMatchObject({ price: '0.0000000123', size: '0.00240857', fillCount: 1, side: 'buy' });
    expect(isDecimal(frame.events[0].price)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a web page', '<html><body>502 Bad Gateway</body></html>'],
    ['half a frame', '{"arg":{"channel":"trades'],
    ['a number', '7'],
    ['null', 'null'],
    ['a word', '"trade"'],
    ['an array', '[]'],
    ['an empty object', '{}'],
    ['an object about something else', '{"hello":"world"}'],
    ['two frames in one', '{"a":1}{"b":2}'],
    ['a thousand brackets', '['.repeat(1_000) + ']'.repeat(1_000)],
    [
      'nesting of 65 in a field',
      `{"stream":"btcusdt@trade","arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":${'['.repeat(65)}${']'.repeat(65)}}`,
    ],
    ['a million brackets', '['.repeat(1_000_000)],
  ])('refuses a frame that is %s', (_what, text) => {
    expect(codeOf(() => read(text))).toBe('FRAME_MALFORMED');
  });

  it('builds REST requests whose paths are absolute and whose weights fit its budget', () => {
    const { rest } = adapter;
    const symbol = samples.nativeSymbol;
    const page = rest.tradesPage(symbol, { afterId: '9007199254740993000', beforeId: '9007199254740993005' });
    const requests = [
      ...rest.instruments(),
      rest.orderBook(symbol),
      rest.recentTrades(symbol),
      page,
      rest.tradesAround(symbol, RECEIVED_AT),
      rest.candles(symbol, '1m'),
      rest.time(),
    ];
    for (const { path, query, weight } of requests) {
      expect(path).toMatch(/^\/api\/v\d\//);
      expect(Object.values(query)).not.toContain('');
      expect(weight).toBeGreaterThan(0);
      expect(weight).toBeLessThanOrEqual(rest.budget.burst);
    }
    expect(rest.budget.burst).toBeLessThan(rest.budget.weight);
    expect(rest.recentLimit).toBeGreaterThan(0);
    expect(adapter.capabilities.tradeBackfill.pageSize).toBeGreaterThan(1);
    expect(JSON.stringify(rest.tradesAround(symbol, RECEIVED_AT).query)).toContain(String(RECEIVED_AT));
    expect(JSON.stringify(page.query)).toMatch(/9007199254740993(001|005)/);
    for (const interval of ['7m', '', '__proto__'])
      expect(codeOf(() => rest.candles(symbol, interval))).toBe('BAD_USER_INPUT');
  });

  it.each([
    ['a web page', '<html>'],
    ['an empty body', ''],
    ['a number', '7'],
  ])('refuses a REST answer that is %s', (_what, body) => {
    const { rest } = adapter;
    const route = [...routes.values()].find(({ channel }) => channel.dataType === DataType.TRADE);
    if (!route) throw new Error('no trade channel');
    expect(codeOf(() => rest.readInstruments(body))).toBe('FRAME_MALFORMED');
    expect(codeOf(() => rest.readOrderBook(body, RECEIVED_AT))).toBe('FRAME_MALFORMED');
    expect(codeOf(() => rest.readTrades(body, route, RECEIVED_AT))).toBe('FRAME_MALFORMED');
    expect(codeOf(() => rest.readCandles(body, route, '1m', RECEIVED_AT))).toBe('FRAME_MALFORMED');
    expect(codeOf(() => rest.readTime(body))).toBe('FRAME_MALFORMED');
  });

  it.each([
    [429, '', 'retry'],
    [503, '<html>busy</html>', 'retry'],
    [404, '<html>not here</html>', 'drop-channel'],
    [400, '{"code":', 'drop-channel'],
  ])('knows what HTTP %i with body "%s" asks for', (status, body, reaction) => {
    expect(adapter.rest.readFailure(status, body)).toMatchObject({ reaction, code: `HTTP ${status}` });
  });
});
