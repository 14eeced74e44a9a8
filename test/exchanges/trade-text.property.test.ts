import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/exchanges/adapter.ts';
import { readAnyFrame as readAnyBinance } from '../../src/exchanges/binance/frames.ts';
import { readTradeText as readBinanceText } from '../../src/exchanges/binance/trade-text.ts';
import { readAnyFrame } from '../../src/exchanges/okx/frames.ts';
import { readTradeText } from '../../src/exchanges/okx/trade-text.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import { RECEIVED_AT, routesOf } from './samples.ts';

// What the quick reader reads, it reads as the general one does; the rest it leaves.

const number = (max: number) => fc.integer({ min: 0, max }).map(String);
const odd = fc.constantFrom(
  '',
  '0',
  '00',
  '1.',
  '.5',
  '-1',
  '1e3',
  '+1',
  ' 1',
  '1_0',
  '1'.repeat(41),
  '9007199254740993',
  '1'.repeat(61),
  'é',
  '\\u0031',
);
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${length}}$`));
const often = (usual: fc.Arbitrary<string>, other = odd) =>
  fc.oneof({ arbitrary: usual, weight: 30 }, { arbitrary: other, weight: 1 });
const decimal = often(
  fc.oneof(
    digits(8),
    fc.tuple(digits(31), digits(31)).map((parts) => parts.join('.')),
  ),
);
const time = often(fc.integer({ min: 1e12 - 5, max: 4.11e12 }).map(String));

const instrument = often(
  fc.constantFrom('BTC-USDT', 'X-USDT'),
  fc.constantFrom('ETH-USDT', 'A\\u0042', '', 'BTC-USDT","a":"'),
);
const okxFrame = fc
  .record({
    channel: fc.constantFrom('trades', 'trades', 'trades-all', 'trades-all', 'tickers', 'trades-none'),
    of: instrument,
    instId: fc.option(instrument, { nil: null, freq: 5 }),
    tradeId: often(digits(20)),
    px: decimal,
    sz: decimal,
    side: often(fc.constantFrom('buy', 'sell'), fc.constantFrom('Buy', '', 'sel')),
    ts: time,
    count: fc.option(often(number(1_000_002)), { nil: null }),
    source: fc.option(often(digits(2)), { nil: null }),
    seqId: fc.option(often(number(2 ** 31)), { nil: null }),
    end: often(fc.constant('}]}'), fc.constantFrom('}]} ', '}],"a":1}', '},{}]}', ',"seqId":1}]}')),
  })
  .map(({ channel, of, instId, tradeId, px, sz, side, ts, count, source, seqId, end }) => {
    const more = [count && `,"count":"${count}"`, source && `,"source":"${source}"`, seqId && `,"seqId":${seqId}`];
    return `{"arg":{"channel":"${channel}","instId":"${of}"},"data":[{"instId":"${instId ?? of}","tradeId":"${tradeId}","px":"${px}","sz":"${sz}","side":"${side}","ts":"${ts}"${more.filter(Boolean).join('')}${end}`;
  });

/** The text with a piece of it taken out, put elsewhere, or given other characters. */
const damaged = (texts: fc.Arbitrary<string>) =>
  fc
    .tuple(
      texts,
      fc.nat(),
      fc.nat({ max: 20 }),
      fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', '\\', '0', ',', '{}', ' ', '}')),
    )
    .map(([text, place, length, piece]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + piece + text.slice(at + length);
    });

const routes = new Map([
  ...routesOf(
    EXCHANGES.okx,
    new Map([
      ['BTC-USDT', 'BTC-USDT'],
      ['X-USDT', 'X-USDT-SPOT'],
    ]),
  ),
]);

const binanceRoutes = routesOf(EXCHANGES.binance, new Map([['BTCUSDT', 'BTC-USDT']]));
const bare = often(fc.nat({ max: 2 ** 31 }).map(String), fc.oneof(odd, fc.constantFrom('"1"', 'null', '1.0', '1e12')));
const more = fc.oneof(
  { weight: 20, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 999_999, 1e6) },
);
const nearby = fc.tuple(bare, more).map(([first, count]) => [first, String(Number(first) + count)]);
const flag = often(fc.constantFrom('true', 'false'), fc.constantFrom('null', '"true"', '1'));
const binanceFrame = fc
  .record({
    stream: often(fc.constantFrom('trade', 'aggTrade'), fc.constantFrom('ticker', 'depth')),
    word: often(fc.constant(''), fc.constantFrom('trade', 'aggTrade', 'kline')),
    symbol: often(fc.constant('BTCUSDT'), fc.constantFrom('ETHUSDT', 'BTC\\u0055SDT', '')),
    ...{ published: often(time), id: bare, range: nearby, price: decimal, size: decimal, time, maker: flag },
    match: fc.option(flag, { nil: null, freq: 20 }),
    end: often(fc.constant('}}'), fc.constantFrom('}} ', '}}}', ',"X":"MARKET"}}', ',"m":true}}', '},"a":1}')),
  })
  .map(({ stream, word, symbol, published, id, range, price, size, time: at, maker, match, end }) => {
    const name = word === '' ? stream : word;
    const [number, ids] = name === 'aggTrade' ? ['a', `,"f":${range[0]},"l":${range[1]}`] : ['t', ''];
    return `{"stream":"btcusdt@${stream}","data":{"e":"${name}","E":${published},"s":"${symbol}","${number}":${id},"p":"${price}","q":"${size}"${ids},"T":${at},"m":${maker}${match === null ? '' : `,"M":${match}`}${end}`;
  });

const binanceInGeneral = (text: string): Frame | string => {
  try {
    return readAnyBinance(text, RECEIVED_AT, binanceRoutes);
  } catch (error) {
    return String(error);
  }
};

describe('binance, frames of trades', () => {
  it('are read as in general, whatever is in them', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(binanceFrame, damaged(binanceFrame)), (text) => {
        const frame = readBinanceText(text, RECEIVED_AT, binanceRoutes);
        if (frame === null) return;
        read += 1;
        expect(frame).toStrictEqual(binanceInGeneral(text));
        expect(JSON.stringify(frame)).toBe(JSON.stringify(binanceInGeneral(text)));
      }),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(500);
  });

  it.each([
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1786538760219,"s":"BTCUSDT","t":5130998264,"p":"64040.20000000","q":"0.00012000","T":1786538760218,"m":true,"M":true}}',
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1786538760219,"s":"BTCUSDT","a":3662340012,"p":"64040.20000000","q":"0.00012000","f":5130998264,"l":5130998266,"T":1786538760218,"m":false,"M":true}}',
  ])('are read quickly as Binance writes them: %s', (text) => {
    expect(readBinanceText(text, RECEIVED_AT, binanceRoutes)).toStrictEqual(binanceInGeneral(text));
  });
});

const inGeneral = (text: string): Frame | string => {
  try {
    return readAnyFrame(text, RECEIVED_AT, routes);
  } catch (error) {
    return String(error);
  }
};

describe('okx, frames of trades', () => {
  it('are read as in general, whatever is in them', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(okxFrame, damaged(okxFrame)), (text) => {
        const frame = readTradeText(text, RECEIVED_AT, routes);
        if (frame === null) return;
        read += 1;
        expect(frame).toStrictEqual(inGeneral(text));
        expect(JSON.stringify(frame)).toBe(JSON.stringify(inGeneral(text)));
      }),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(500);
  });

  it.each([',"count":"3","source":"0","seqId":79706765242', ',"source":"0","seqId":79706765242', ',"count":"1"', ''])(
    'are read quickly as OKX writes them: %s',
    (more) => {
      const text = `{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"1040968613","px":"64040.20","sz":"0.5","side":"buy","ts":"1786538760218"${more}}]}`;
      expect(readTradeText(text, RECEIVED_AT, routes)).toStrictEqual(inGeneral(text));
    },
  );
});

describe.each([
  {
    id: 'okx' as const,
    read: readTradeText,
    readAny: readAnyFrame,
    text: '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"7","px":"6.2","sz":"0.5","side":"buy","ts":"1786538760218"}]}',
  },
  {
    id: 'binance' as const,
    read: readBinanceText,
    readAny: readAnyBinance,
    text: '{"stream":"btcusdt@trade","data":{"e":"trade","E":1786538760219,"s":"BTCUSDT","t":7,"p":"6.2","q":"0.5","T":1786538760218,"m":true,"M":true}}',
  },
])('$id, a frame whose payload nobody keeps', ({ id, read, readAny, text }) => {
  const kept = id === 'okx' ? routes : binanceRoutes;
  const dropping = new Map([...kept].map(([key, route]) => [key, { ...route, dropsPayload: () => true }]));

  it('is read without it, quickly and in general', () => {
    const [event] = (read(text, RECEIVED_AT, kept) as Extract<Frame, { kind: 'events' }>).events;
    expect(event?.raw).not.toBeNull();
    expect(read(text, RECEIVED_AT, dropping)).toMatchObject({ events: [{ ...event, raw: null }] });
    expect(read(text, RECEIVED_AT, dropping)).toStrictEqual(readAny(text, RECEIVED_AT, dropping));
  });
});
