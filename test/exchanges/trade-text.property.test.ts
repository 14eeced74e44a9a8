import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/exchanges/adapter.ts';
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
