import fc from 'fast-check';
import { parse, execute as reference, validate } from 'graphql';
import { expect, it } from 'vitest';
import { executeAsText } from '../../src/graphql/execution/execute.ts';
import { schema } from '../../src/graphql/schema.ts';
import { TradeLines } from '../../src/storage/trade-lines.ts';
import { openMarket } from './market.ts';

const TIME = Date.UTC(2026, 10, 20);
const FIELDS = [
  ...[
    'exchange',
    'symbol',
    'tradeId',
    'fillCount',
    'price',
    'size',
    'side',
    'exchangeTime',
    'receivedAt',
    'recordedAt',
  ],
  ...['sequence', 'writer', 'provenance', 'id', 'raw', '__typename'],
];

/** A line as the database writes it. */
const line = fc
  .record({
    time: fc.integer({ min: -90_000_000, max: 90_000_000 }),
    id: fc.oneof(fc.nat().map(String), fc.constantFrom('a"b', 'c\\d', 'é€😀', '\ud800', '9'.repeat(30))),
    sequence: fc.nat(),
    side: fc.constantFrom('b', 's'),
    provenance: fc.constantFrom('l', 'b', 'r'),
    raw: fc.constantFrom('', '{"a": "\\t"}', 'null', '[1, 2]'),
  })
  .map(({ time, id, sequence, side, provenance, raw }) =>
    [3, sequence, TIME + time, TIME + time + 7, TIME - time, 1, side, provenance, '50.10', '0.001', id, raw].join('\t'),
  );

/** Some of the fields, some by another name, some in a fragment, some only where a variable says so. */
const selection = fc
  .subarray(FIELDS, { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.constantFrom(
          name,
          `${name}_: ${name}`,
          `... on Trade { ${name} }`,
          `${name} @include(if: $yes)`,
          `${name} @skip(if: $yes)`,
        ),
      ),
    ),
  )
  .map((fields) => fields.join(' '));

const edges = fc
  .tuple(selection, fc.constantFrom('', ' cursor', ' __typename'))
  .map(([node, rest]) => `edges { node { ${node} }${rest} } pageInfo { hasNextPage endCursor startCursor }`);

it('a page of lines is answered as graphql-js answers it, whatever is asked of it', async () => {
  const market = await openMarket();
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 4 }),
      edges,
      fc.boolean(),
      fc.constantFrom('M"1-USDT', 'BTC-USDT'),
      async (lines, asked, yes, symbol) => {
        const document = parse(
          `query ($yes: Boolean!, $no: Int) { a: trades(exchange: "okx", symbol: "BTC-USDT") { ${asked} } __typename @include(if: $yes)
          b: trades(exchange: "okx", symbol: "BTC-USDT", first: $no) { edges { node { tradeId } } } }`,
        );
        expect(validate(schema, document)).toEqual([]);
        const history = {
          ...market.services.history,
          listTrades: async () => ({
            trades: new TradeLines(lines.join('\n'), { exchange: 'okx', symbol }),
            hasMore: yes,
          }),
        };
        // Half of the time the other field fails, which takes everything with it.
        const args = {
          ...{ schema, document, variableValues: { yes, no: yes ? 5 : 0 } },
          contextValue: { ...market.services, history },
        };
        const expected = await reference(args);
        const result = await executeAsText(args);
        if (result.stringify) expect(result.stringify().toString()).toBe(JSON.stringify(expected));
        else expect(JSON.stringify(result)).toBe(JSON.stringify(expected));
        expect(JSON.parse(JSON.stringify(result))).toEqual(JSON.parse(JSON.stringify(expected)));
      },
    ),
    { numRuns: 300 },
  );
  await market.manager.stop();
  market.feed[Symbol.dispose]();
  market.live[Symbol.dispose]();
});
