import { describe, expect, it } from 'vitest';
import type { Candle, CandleCompleteness, CandleValues } from '../../src/market/candle.ts';
import { compareCandles, inWords } from '../../src/market/compare-candles.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { ExchangeCandle } from '../../src/market/market-event.ts';
import { aCandle } from '../pipeline/market-data.ts';

const MINUTE = 60_000;
const VALUES: CandleValues = {
  ...{ open: decimal('10.1'), high: decimal('12'), low: decimal('9.50'), close: decimal('11') },
  ...{ volume: decimal('3.000'), quoteVolume: decimal('31.5'), buyVolume: decimal('1'), tradeCount: 7 },
  ...{ recordedAt: 0, revision: 0 },
};
const ours = (
  k: number,
  completeness: CandleCompleteness = 'COMPLETE',
  values: CandleValues | null = VALUES,
  symbol = 'BTC-USDT',
): Candle => ({
  ...{ exchange: 'okx', symbol, interval: '1m', openTime: (k - 1) * MINUTE, closeTime: k * MINUTE, values },
  ...{ state: 'PROVISIONAL', completeness, coverageRatio: completeness === 'COMPLETE' ? 1 : 0.259, availableAt: null },
});
const theirs = (k: number, over: Partial<ExchangeCandle> = {}): ExchangeCandle =>
  aCandle({
    ...{ openTime: (k - 1) * MINUTE, closeTime: k * MINUTE, open: decimal('10.10'), high: decimal('12.0') },
    ...{ low: decimal('9.5'), close: decimal('11'), volume: decimal('3'), quoteVolume: decimal('31.50000') },
    ...{ tradeCount: 7, ...over },
  });
const flat = (k: number, over: Partial<ExchangeCandle> = {}) =>
  theirs(k, { volume: decimal('0.000'), quoteVolume: decimal('0'), tradeCount: 0, ...over });
const compare = (own: readonly Candle[], their: readonly ExchangeCandle[]) =>
  compareCandles(own, new Map(their.map((one) => [one.closeTime, one])));
const EQUAL = { compared: 1, onlyOurs: 0, onlyTheirs: 0, differences: [] };

describe('our candles beside theirs', () => {
  it('are equal when every figure is the same number, whatever zeros follow it', () => {
    expect(compare([ours(1)], [theirs(1)])).toEqual(EQUAL);
  });

  it.each([
    ['open', { open: decimal('10.1000000000000000001') }],
    ['high', { high: decimal('12.01') }],
    ['low', { low: decimal('9.49') }],
    ['close', { close: decimal('11.1') }],
    ['volume', { volume: decimal('3.000000000000000000001') }],
    ['quoteVolume', { quoteVolume: decimal('31.4999') }],
    ['tradeCount', { tradeCount: 8 }],
  ] as const)('differ in %s by the last digit, and nothing else is named', (field, over) => {
    const { compared, differences } = compare([ours(1)], [theirs(1, over)]);
    expect(compared).toBe(1);
    expect(differences).toMatchObject([{ fields: [field], verdict: 'THEIRS_DIFFERS' }]);
  });

  it('are not compared in what the exchange does not give, nor in quote volume where sizes are contracts', () => {
    expect(compare([ours(1)], [theirs(1, { tradeCount: null, quoteVolume: null })])).toEqual(EQUAL);
    const swap = 'BTC-USDT-SWAP';
    const contracts = theirs(1, { symbol: swap, quoteVolume: decimal('0.315') });
    expect(compare([ours(1, 'COMPLETE', VALUES, swap)], [contracts])).toEqual(EQUAL);
  });

  it.each(['COMPLETE', 'UNPROVEN', 'MISSING'] as const)(
    'of a quiet minute are equal: flat and without volume is the same as no price (%s)',
    (completeness) => {
      expect(compare([ours(1, completeness, null)], [flat(1)])).toEqual(EQUAL);
    },
  );

  it('differ when theirs is quiet and ours is not', () => {
    const [difference] = compare([ours(1)], [flat(1)]).differences;
    expect(difference?.fields).toEqual(['volume', 'quoteVolume', 'tradeCount']);
  });

  it.each([
    ['COMPLETE', VALUES, 'THEIRS_DIFFERS', /^Every trade of it is here, by proof, and .* differs in volume$/],
    ['PARTIAL', VALUES, 'OURS_INCOMPLETE', /^Trades of ours are known to be missing \(PARTIAL, 25 % of its time/],
    ['UNPROVEN', VALUES, 'UNDECIDED', /^Nothing says whether all its trades are here \(25 % of its time is covered\)/],
  ] as const)('are judged by the ledger: %s', (completeness, values, verdict, message) => {
    const [difference] = compare([ours(1, completeness, values)], [theirs(1, { volume: decimal('5') })]).differences;
    expect(difference).toMatchObject({ verdict, fields: ['volume'] });
    expect(difference && inWords(difference)).toMatch(message);
  });

  it('of an outage differ in everything, and of a minute of which we know nothing only theirs is there', () => {
    const all = ['open', 'high', 'low', 'close', 'volume', 'quoteVolume', 'tradeCount'];
    const outage = compare([ours(1, 'MISSING', null)], [theirs(1)]);
    expect(outage).toMatchObject({ compared: 1, differences: [{ fields: all, verdict: 'OURS_INCOMPLETE' }] });
    expect(compare([ours(1, 'UNPROVEN', null)], [theirs(1)])).toEqual({ ...EQUAL, compared: 0, onlyTheirs: 1 });
    expect(compare([ours(1, 'COMPLETE', null)], [theirs(1)]).differences).toMatchObject([
      { verdict: 'THEIRS_DIFFERS' },
    ]);
  });

  it('are only ours where theirs was not stored, and nobody has a minute in which we know of nothing either', () => {
    const own = [ours(1), ours(2, 'COMPLETE', null), ours(3, 'UNPROVEN', null), ours(4, 'MISSING', null), ours(5)];
    expect(compare(own, [theirs(5), theirs(9)])).toEqual({ ...EQUAL, onlyOurs: 2 });
  });
});
