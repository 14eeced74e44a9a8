import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decimal } from '../../src/market/decimal.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { type Served, serve } from '../server/served.ts';
import { START, tradeOf } from './market.ts';

const MINUTE = 60_000;
const iso = (ms: number) => new Date(START + ms).toISOString();
const market = 'exchange: "okx", symbol: "BTC-USDT"';
const page = (args: string, fields = 'closeTime close') =>
  `{ candles(${market}, ${args}) { edges { cursor node { ${fields} } } pageInfo { hasNextPage endCursor } } }`;

let served: Served;
beforeAll(async () => {
  served = await serve();
  const price = (k: number) => decimal(String(100 + k));
  const trades = [0, 1, 2, 3].map((k) => ({
    ...tradeOf(k),
    ...({
      exchangeTime: START + k * 20_000,
      price: price(k),
      size: decimal('0.30'),
      side: k % 2 === 0 ? 'buy' : 'sell',
    } as const),
  }));
  served.market.store.commit(1, trades);
});
afterAll(() => served[Symbol.asyncDispose]());

describe('candles', () => {
  it('carry everything that is known of them, under their end', async () => {
    const FIELDS =
      'interval openTime closeTime open high low close volume quoteVolume buyVolume vwap tradeCount state completeness coverageRatio';
    const { data } = await served.ask(page(`interval: M1, from: "${iso(0)}", to: "${iso(3 * MINUTE)}"`, FIELDS));
    expect(data.candles.edges.map(({ node }: { node: unknown }) => node)).toEqual([
      {
        ...{
          interval: 'M1',
          openTime: iso(0),
          closeTime: iso(MINUTE),
          open: '100',
          high: '102',
          low: '100',
          close: '102',
        },
        ...{ volume: '0.90', quoteVolume: '90.90', buyVolume: '0.60', vwap: '101', tradeCount: '3' },
        ...{ state: 'PROVISIONAL', completeness: 'UNPROVEN', coverageRatio: 0 },
      },
      expect.objectContaining({ closeTime: iso(2 * MINUTE), open: '103', close: '103', tradeCount: '1' }),
      {
        ...{
          interval: 'M1',
          openTime: iso(2 * MINUTE),
          closeTime: iso(3 * MINUTE),
          open: null,
          high: null,
          low: null,
          close: null,
        },
        ...{ volume: '0', quoteVolume: '0', buyVolume: '0', vwap: null, tradeCount: '0' },
        ...{ state: 'PROVISIONAL', completeness: 'UNPROVEN', coverageRatio: 0 },
      },
    ]);
  });

  it('come in pages that follow each other', async () => {
    const range = `interval: S10, from: "${iso(0)}", to: "${iso(MINUTE)}", emptyIntervals: OMIT, first: 2`;
    const first = (await served.ask(page(range))).data.candles;
    const second = (await served.ask(page(`${range}, after: "${first.pageInfo.endCursor}"`))).data.candles;
    const ends = [first, second].flatMap(({ edges }) =>
      edges.map(({ node }: { node: { closeTime: string } }) => node.closeTime),
    );
    expect(ends).toEqual([iso(10_000), iso(30_000), iso(50_000)]);
    expect([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage]).toEqual([true, false]);
    const elsewhere = await served.ask(
      page(`interval: S15, from: "${iso(0)}", first: 2, after: "${first.pageInfo.endCursor}"`),
    );
    expect(elsewhere.errors?.[0]?.extensions?.code).toBe('CURSOR_INVALID');
  });

  it('of several intervals stand side by side', async () => {
    const { data } = await served.ask(
      `{ candlesAt(${market}, time: "${iso(90_000)}", intervals: [S30, M1, H1]) { interval closeTime close } }`,
    );
    expect(data.candlesAt).toMatchObject([
      { interval: 'S30', closeTime: iso(90_000) },
      { interval: 'M1', closeTime: iso(MINUTE) },
      { interval: 'H1', close: null },
    ]);
  });

  it.each([
    [
      'from and to that are the same',
      `interval: M1, from: "${iso(0)}", to: "${iso(0)}"`,
      /`from` .* should be before `to`/,
    ],
    ['a time that is to come', `interval: M1, from: "${iso(0)}", asOf: "2999-01-01T00:00:00Z"`, /Nobody knows yet/],
    ['more than a page', `interval: S1, from: "${iso(0)}", to: "${iso(1_001_000)}"`, /more than 1000 candles of 1s/],
    ['a page that is too large', `interval: S1, from: "${iso(0)}", first: 1001`, /`first` is 1 to 1000/],
    ['a place nobody knows', `interval: D1, from: "${iso(0)}", timeZone: "Mars/Olympus"`, /IANA name/],
  ])('refuse %s', async (_what, args, message) => {
    const { errors } = await served.ask(page(args));
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  it('refuse an interval nobody knows, and name those there are', async () => {
    const { errors } = await served.ask(page(`interval: M2, from: "${iso(0)}"`));
    expect(errors?.[0]?.message).toMatch(/"M2" does not exist in "CandleInterval"/);
  });
});

it('is told of a time only when all that was recorded by then is stored', async () => {
  const { recorder } = served.market.services as { recorder: { storedUpTo(time: number): Promise<void> } };
  const asked: number[] = [];
  const before = recorder.storedUpTo;
  recorder.storedUpTo = (time) => {
    asked.push(time);
    return Promise.reject(new AppError('DATABASE_UNAVAILABLE', 'not stored yet'));
  };
  try {
    for (const field of [
      `candles(${market}, interval: M1, from: "${iso(0)}", asOf: "${iso(1)}") { edges { cursor } }`,
      `candlesAt(${market}, time: "${iso(1)}", intervals: [M1]) { closeTime }`,
      `trades(${market}, asOf: "${iso(1)}") { edges { cursor } }`,
    ]) {
      const { errors } = await served.ask(`{ ${field} }`);
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    }
    expect(asked).toEqual([START + 1, START + 1, START + 1]);
  } finally {
    recorder.storedUpTo = before;
  }
});
