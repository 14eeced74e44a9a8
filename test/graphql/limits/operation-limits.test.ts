import { GraphQLError, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { executeAsText } from '../../../src/graphql/execution/execute.ts';
import { COSTS } from '../../../src/graphql/limits/costs.ts';
import { operationCheck } from '../../../src/graphql/limits/operation-limits.ts';
import { schema } from '../../../src/graphql/schema.ts';
import { LIMITS, type Limits } from '../../../src/runtime/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const MARKET = 'exchange: "okx", symbol: "BTC-USDT"';

/** What an operation is refused with before anything is resolved; null where it would go on. */
async function refusal(query: string, variables: Record<string, unknown> = {}, limits: Limits = LIMITS) {
  const clock = new ManualClock(Date.parse('2026-11-28T00:00:00Z'));
  const check = operationCheck(limits, clock);
  let broken: GraphQLError | null = null;
  let asked = false;
  await executeAsText({ schema, document: parse(query), variableValues: variables }, (...operation) => {
    asked = true;
    broken = check(...operation);
    return broken ?? new GraphQLError('goes on');
  });
  expect(asked).toBe(true);
  return (broken as GraphQLError | null)?.extensions ?? null;
}

const FULL_TRADES = `edges { cursor node { id exchange symbol tradeId price size side exchangeTime receivedAt
  recordedAt provenance writer sequence fillCount raw } } pageInfo { endCursor hasNextPage }`;
const BOOKS = 'edges { cursor node { sequence bids { price size } asks { price size } } }';
const BERLIN_DAYS = `candles(${MARKET}, interval: D1, from: "2024-01-01T00:00:00Z", timeZone: "Europe/Berlin")`;

describe('what an operation costs by its arguments', () => {
  it.each([
    ['a full page of trades', `{ trades(${MARKET}, first: 1000) { ${FULL_TRADES} } }`],
    ['a full page of order books', `{ orderBooks(${MARKET}, first: 1000) { ${BOOKS} } }`],
    ['a full page of days of Berlin', `{ ${BERLIN_DAYS} { edges { node { open close } } } }`],
    ['a subscription', 'subscription { trades(symbols: ["BTC-USDT"]) { edges { node { price } } } }'],
  ])('lets %s pass', async (_what, query) => {
    expect(await refusal(query)).toBeNull();
  });

  it.each([
    [
      'pages side by side',
      `{ ${[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((k) => `a${k}: trades(${MARKET}, first: 1000) { ${FULL_TRADES} }`).join(' ')} }`,
    ],
    [
      'days of Berlin over and over',
      `{ ${'abc'
        .split('')
        .map((k) => `${k}: ${BERLIN_DAYS} { edges { node { openTime open high low close volume quoteVolume vwap } } }`)
        .join(' ')} }`,
    ],
    ['two hundred of them under one name', `{ ${`${BERLIN_DAYS} { edges { cursor } } `.repeat(200)} }`],
    [
      'fragments for the fields',
      `{ ${'abcdefghijkl'
        .split('')
        .map((k) => `${k}: trades(${MARKET}, first: 1000) { ...T }`)
        .join(' ')} } fragment T on TradeConnection { ${FULL_TRADES} }`,
    ],
    [
      "a day's quality of many days",
      `{ ${'abcdefghijk'
        .split('')
        .map((k) => `${k}: dataQuality(${MARKET}, day: "2026-11-27") { minutes }`)
        .join(' ')} }`,
    ],
  ])('refuses %s', async (_what, query) => {
    expect(await refusal(query)).toMatchObject({ code: 'LIMIT_EXCEEDED', rule: 'cost', limit: 200_000 });
  });

  it('counts variables as literals', async () => {
    const query = (first: string) =>
      `query ($n: Int = 1000) { trades(${MARKET}, first: ${first}) { edges { cursor } } }`;
    const limits = { ...LIMITS, cost: 3_500 };
    expect(await refusal(query('$n'), { n: 500 }, limits)).toBeNull();
    const literal = await refusal(query('1000'), {}, limits);
    expect(literal).toMatchObject({ rule: 'cost' });
    expect(await refusal(query('$n'), { n: 1000 }, limits)).toEqual(literal);
    expect(await refusal(query('$n'), {}, limits)).toEqual(literal);
  });

  it.each([
    ['null', null],
    ['a negative number', -1],
  ])('counts %s as nothing to refuse: the field says what is wrong with it', async (_what, n) => {
    expect(await refusal(`query ($n: Int) { trades(${MARKET}, first: $n) { edges { cursor } } }`, { n })).toBeNull();
  });
});

describe('lists and times', () => {
  const ids = Array.from({ length: 501 }, () => 'a');

  it.each([
    ['a variable', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids }],
    ['a literal', `{ nodes(ids: [${'"a",'.repeat(501)}]) { id } }`, {}],
    [
      'a list in an input',
      'mutation ($types: [DataType!]) { addCollector(input: {exchange: "okx", symbol: "A-B", dataTypes: $types}) { userErrors { code } } }',
      { types: ids.map(() => 'TRADE') },
    ],
    ['a subscription', 'subscription ($s: [String!]) { trades(symbols: $s) { cursor } }', { s: ids }],
  ])('refuses a list that is too long in %s', async (_what, query, variables) => {
    expect(await refusal(query, variables)).toMatchObject({ rule: 'list_length', value: 501, limit: 500 });
  });

  it.each([
    ['candles', `candles(${MARKET}, interval: D1, from: $from, first: 10) { edges { cursor } }`],
    ['coverage', `coverage(${MARKET}, from: $from) { status }`],
  ])('refuses ten years of %s', async (_what, field) => {
    const query = `query ($from: DateTime!) { ${field} }`;
    expect(await refusal(query, { from: '2016-11-28T00:00:00Z' })).toMatchObject({
      rule: 'time_span_days',
      value: 3_652,
    });
    expect(await refusal(query, { from: '2024-11-28T00:00:00Z' })).toBeNull();
  });
});

it('measures the time up to now at each run of a document', async () => {
  const clock = new ManualClock(Date.parse('2026-11-28T00:00:00Z'));
  const check = operationCheck({ ...LIMITS, time_span_days: 1 }, clock);
  const document = parse(`{ coverage(${MARKET}, from: "2026-11-27T12:00:00Z") { status } }`);
  const run = async () => {
    const { errors } = await executeAsText(
      { schema, document },
      (...asked) => check(...asked) ?? new GraphQLError('goes on'),
    );
    return errors?.[0]?.extensions.rule ?? null;
  };
  expect(await run()).toBeNull();
  await clock.advance(86_400_000);
  expect(await run()).toBe('time_span_days');
});

it('has a cost for every question that is put to the database', () => {
  const IN_MEMORY = ['backfill', 'collector', 'collectors', 'exchanges', 'health', 'manager'];
  const free = Object.keys(schema.getQueryType()?.getFields() ?? {}).filter((name) => !COSTS[`Query.${name}`]?.work);
  expect(free.toSorted()).toEqual(IN_MEMORY);
});
