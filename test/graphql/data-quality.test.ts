import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decimal } from '../../src/market/decimal.ts';
import type { MarketDataRow } from '../../src/storage/market-data.ts';
import { type Served, serve } from '../server/served.ts';
import { START, tradeOf } from './market.ts';

const MINUTE = 60_000;
const DAY = '2026-01-01';
const iso = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();

let served: Served;
let rows = 0n;
/** A candle as OKX prints it, of so many minutes and ending then. */
const row = (end: number, [o, h, l, c, vol, quote]: readonly string[], closed = true, minutes = 1): MarketDataRow => ({
  ...{ id: ++rows, exchange: 'okx', symbol: 'BTC-USDT', dataType: 'candle' },
  ...{ timestamp: new Date(START + end * MINUTE), createdAt: new Date(START + end * MINUTE + 50) },
  data: [String(START + (end - minutes) * MINUTE), o, h, l, c, vol, quote, quote, closed ? '1' : '0'],
});

beforeAll(async () => {
  served = await serve();
  const { market } = served;
  const prices = ['100', '102.5', '99', '101'];
  const trades = prices.map((price, k) => ({
    ...tradeOf(k),
    ...{ exchangeTime: START + k * 20_000, price: decimal(price), size: decimal('0.30') },
  }));
  market.store.commit(1, trades);
  const first = BigInt(tradeOf(0).tradeId);
  market.ledger.stretches = [
    {
      ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', first, last: first + 9n, actual: 10 },
      ...{ from: START, to: START + 10 * MINUTE, cause: null, gap: null, gapFoundAt: null },
    },
  ];
  market.rows.push(
    row(1, ['100', '102.50', '99', '99', '0.9', '90.45'], false),
    row(1, ['100', '102.50', '99', '99', '0.9', '90.45']),
    row(2, ['101', '101', '101', '101', '0.4', '40.4']),
    row(3, ['101', '101', '101', '101', '0', '0']),
    row(5, ['1', '1', '1', '1', '7', '7'], true, 5), // of five minutes
    row(6, ['101', '101', '101', '101', '5', '505'], false), // not closed
    row(20, ['101', '101', '101', '101', '1', '101']),
  );
});
afterAll(() => served[Symbol.asyncDispose]());

const COUNTS =
  'minutes candlesCompared candlesEqual candlesDiffering candlesOnlyOurs candlesOnlyTheirs oursIncomplete theirsDiffers undecided';
const ask = (fields: string, args = `symbol: "BTC-USDT", day: "${DAY}"`) =>
  served.ask(`{ dataQuality(exchange: "okx", ${args}) { ${fields} } }`);

describe('the quality of a day', () => {
  it('is our closed minutes beside theirs, and leaves candles of other lengths and open ones aside', async () => {
    const { data } = await ask(`exchange symbol day from to ${COUNTS}`);
    expect(data.dataQuality).toEqual({
      ...{ exchange: 'okx', symbol: 'BTC-USDT', day: DAY, from: iso(0), to: iso(1_440), minutes: 1_440 },
      ...{ candlesCompared: 3, candlesEqual: 2, candlesDiffering: 1, candlesOnlyOurs: 7, candlesOnlyTheirs: 1 },
      ...{ oursIncomplete: 0, theirsDiffers: 1, undecided: 0 },
    });
  });

  it('shows both candles of what differs, and who is wrong', async () => {
    const theirs = 'theirs { openTime closeTime open high low close volume quoteVolume tradeCount }';
    const { data } = await ask(
      `differences { closeTime ours { closeTime volume completeness } ${theirs} fields verdict message }
      coverage { status share } repaired { gaps gapsFilled tradesBackfilled tradesMissing tradesLost candlesRevised }`,
    );
    expect(data.dataQuality.differences).toEqual([
      {
        closeTime: iso(2),
        ours: { closeTime: iso(2), volume: '0.30', completeness: 'COMPLETE' },
        theirs: {
          ...{ openTime: iso(1), closeTime: iso(2), open: '101', high: '101', low: '101', close: '101' },
          ...{ volume: '0.4', quoteVolume: '40.4', tradeCount: null },
        },
        ...{ fields: ['VOLUME', 'QUOTE_VOLUME'], verdict: 'THEIRS_DIFFERS' },
        message: "Every trade of it is here, by proof, and the exchange's candle differs in volume, quoteVolume",
      },
    ]);
    expect(data.dataQuality.coverage[0]).toEqual({ status: 'PROVEN', share: Math.floor(1e7 / 1440) / 1e6 });
    expect(data.dataQuality.repaired).toEqual({
      ...{ gaps: 0, gapsFilled: 0, tradesBackfilled: '0', tradesMissing: '0', tradesLost: '0', candlesRevised: 0 },
    });
  });

  it('of the present day goes up to the last minute that was over', async () => {
    const now = Date.now();
    const day = new Date(now).toISOString().slice(0, 10);
    const { from, to, minutes } = (await ask('from to minutes', `symbol: "BTC-USDT", day: "${day}"`)).data.dataQuality;
    expect(from).toBe(`${day}T00:00:00.000Z`);
    expect(Date.parse(to)).toBeLessThan(now + 1_000);
    expect(Date.parse(to)).toBeGreaterThan(now - 2 * MINUTE);
    expect(minutes).toBe((Date.parse(to) - Date.parse(from)) / MINUTE);
  });

  it.each([
    ['a day that does not exist', 'symbol: "BTC-USDT", day: "2026-02-30"', /A Date is a day written like "2026-01-31"/],
    ['a time of day', 'symbol: "BTC-USDT", day: "2026-01-01T00:00:00Z"', /A Date is a day written like/],
    ['a day to come', 'symbol: "BTC-USDT", day: "2999-01-01"', /`day` \(2999-01-01\) has not begun; give a day up to/],
  ])('refuses %s', async (_what, args, message) => {
    const { errors } = await ask('minutes', args);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(message),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  it.each([0, 1_441])('refuses to show %i differences', async (first) => {
    const { errors } = await ask(`differences(first: ${first}) { closeTime }`);
    expect(errors?.[0]).toMatchObject({ message: `\`first\` is 1 to 1440, was ${first}` });
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });

  it('refuses a market nobody knows', async () => {
    const { errors } = await ask('minutes', `symbol: "NO-SUCH", day: "${DAY}"`);
    expect(errors?.[0]?.extensions?.code).toBe('SYMBOL_UNKNOWN');
  });
});
