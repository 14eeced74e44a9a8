import fc from 'fast-check';
import { parse, execute as reference, validate } from 'graphql';
import { expect, it } from 'vitest';
import { executeAsText } from '../../src/graphql/execution/execute.ts';
import { schema } from '../../src/graphql/schema.ts';
import type { CandleValues } from '../../src/market/candle.ts';
import type { Stretch } from '../../src/market/coverage.ts';
import type { Decimal } from '../../src/market/decimal.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openMarket } from './market.ts';

const FROM = Date.UTC(2026, 10, 19, 23, 57);
const MINUTE = 60_000;
const MOST = 6;
const FIELDS = [
  ...[
    'exchange',
    'symbol',
    'interval',
    'openTime',
    'closeTime',
    'open',
    'high',
    'low',
    'close',
    'volume',
    'quoteVolume',
  ],
  ...[
    'buyVolume',
    'vwap',
    'tradeCount',
    'state',
    'completeness',
    'coverageRatio',
    'revision',
    'availableAt',
    '__typename',
  ],
];

const decimal = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat(12)).map(([digits, places]) => {
  const text = String(digits).padStart(places + 1, '0');
  return (places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`) as Decimal;
});
const values = fc.option(
  fc.record<CandleValues>({
    ...{ open: decimal, high: decimal, low: decimal, close: decimal, quoteVolume: decimal, buyVolume: decimal },
    volume: fc.oneof(decimal, fc.constant('0.000' as Decimal)),
    tradeCount: fc.maxSafeNat(),
    recordedAt: fc.integer({ min: FROM - MINUTE, max: FROM + 10 * MINUTE }),
    revision: fc.nat(1_000),
  }),
  { nil: null },
);
/** Where what is proven begins and ends, in ms, and of what kind it is. */
const stretch = fc.record({
  begin: fc.integer({ min: 0, max: MOST * MINUTE }),
  length: fc.integer({ min: 0, max: MOST * MINUTE }),
  status: fc.constantFrom('PROVEN' as const, 'BACKFILLED' as const, 'GAP' as const, 'UNPROVEN' as const),
});

/** Some of the fields, some by another name, some in a fragment, some only where a variable says so. */
const selection = fc
  .subarray(FIELDS, { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.constantFrom(name, `${name}_: ${name}`, `... on Candle { ${name} }`, `${name} @include(if: $yes)`),
      ),
    ),
  )
  .map((fields) => fields.join(' '));

const edges = fc
  .tuple(selection, fc.constantFrom('', '', '', ' cursor', ' __typename'))
  .map(([node, rest]) => `edges { node { ${node} }${rest} } pageInfo { hasNextPage endCursor startCursor }`);

it('a page of candles is answered as graphql-js answers it, whatever is asked of it', async () => {
  const market = await openMarket();
  await fc.assert(
    fc.asyncProperty(
      fc.array(values, { minLength: MOST, maxLength: MOST }),
      stretch,
      edges,
      fc.record({
        yes: fc.boolean(),
        size: fc.integer({ min: 1, max: MOST }),
        minutes: fc.integer({ min: -1, max: MOST }),
      }),
      fc.constantFrom('OMIT', 'INCLUDE_NULL', 'CARRY_FORWARD'),
      async (found, { begin, length, status }, asked, { yes, size, minutes }, empty) => {
        const document = parse(
          `query ($yes: Boolean!, $from: DateTime!, $to: DateTime!) {
            a: candles(exchange: "okx", symbol: "BTC-USDT", interval: M1, from: $from, to: $to, first: ${size}, emptyIntervals: ${empty}, includeForming: true) { ${asked} }
            __typename @include(if: $yes) }`,
        );
        expect(validate(schema, document)).toEqual([]);
        const clock = new ManualClock(FROM + minutes * MINUTE + 1);
        const from = FROM + begin;
        const known: Stretch = {
          ...{ status, evidence: 'TRADE_ID_CONTIGUITY', first: 1n, last: 9n, from, to: from + length, actual: 9 },
          ...{ cause: null, gap: null, gapFoundAt: null },
        };
        const candles = {
          ...{ ...market.services.candles, clock, listStretches: async () => [known] },
          readCandles: async ({ windows }: { windows: readonly { openTime: number; closeTime: number }[] }) =>
            windows.map((window) => ({ ...window, values: found[(window.openTime - FROM) / MINUTE] ?? null })),
          nearestTrade: async () => null,
        };
        const [first, last] = [FROM, FROM + (MOST - 1) * MINUTE + 1].map((time) => new Date(time).toISOString());
        const args = {
          ...{ schema, document, variableValues: { yes, from: first, to: last } },
          contextValue: { ...market.services, candles },
        };
        const expected = await reference(args);
        expect(expected.errors).toBeUndefined();
        const { stringify } = await executeAsText(args);
        expect(stringify?.().toString()).toBe(JSON.stringify(expected));
      },
    ),
    { numRuns: 300 },
  );
  await market.manager.stop();
  market.feed[Symbol.dispose]();
  market.live[Symbol.dispose]();
});
