import {
  type DocumentNode,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
  execute as reference,
  subscribe as referenceSubscribe,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { execute, executeAsText, subscribe } from '../../src/graphql/execution/execute.ts';

/** Every way a value can come and fail: at once or later, null, an error, a list of each, behind an interface. */
const later = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, 1, value));
const Pet: GraphQLInterfaceType = new GraphQLInterfaceType({
  name: 'Pet',
  fields: { name: { type: GraphQLString } },
  resolveType: (value) => (value.late ? later(value.kind) : value.kind),
});
const fields = { name: { type: GraphQLString }, self: { type: Pet, resolve: (pet: unknown) => pet } };
const Dog = new GraphQLObjectType({
  name: 'Dog',
  interfaces: [Pet],
  fields: { ...fields, barks: { type: GraphQLInt } },
});
const Cat = new GraphQLObjectType({
  name: 'Cat',
  interfaces: [Pet],
  fields: { ...fields, meows: { type: new GraphQLNonNull(GraphQLInt) } },
  isTypeOf: (value) => later((value as { kind: string }).kind === 'Cat'),
});
const throwing = (): never => {
  throw new Error('at once');
};
const Thing: GraphQLObjectType = new GraphQLObjectType({
  name: 'Thing',
  fields: () => ({
    now: { type: GraphQLString, resolve: () => 'now' },
    later: { type: GraphQLString, resolve: () => later('later') },
    nothing: { type: GraphQLString, resolve: () => null },
    path: {
      type: GraphQLString,
      resolve: (_source, _args, _context, info) => JSON.stringify([info.path, info.fieldName, info.variableValues]),
    },
    fails: { type: GraphQLString, resolve: throwing },
    failsLater: { type: GraphQLString, resolve: () => later(0).then(throwing) },
    returnsError: { type: GraphQLString, resolve: () => new Error('returned') },
    must: { type: new GraphQLNonNull(GraphQLString), resolve: () => null },
    mustLater: { type: new GraphQLNonNull(GraphQLString), resolve: () => later(null) },
    mustFail: { type: new GraphQLNonNull(GraphQLString), resolve: throwing },
    number: { type: GraphQLInt, args: { of: { type: GraphQLInt, defaultValue: 7 } }, resolve: (_source, { of }) => of },
    notANumber: { type: GraphQLInt, resolve: () => 'x' },
    echo: {
      type: GraphQLString,
      args: { texts: { type: new GraphQLList(GraphQLString) } },
      resolve: (_source, args) => JSON.stringify(args),
    },
    numbers: { type: new GraphQLList(GraphQLInt), resolve: () => [1, later(2), null, new Error('third'), 'x'] },
    strictNumbers: { type: new GraphQLList(new GraphQLNonNull(GraphQLInt)), resolve: () => [1, later(2), null, 4] },
    notAList: { type: new GraphQLList(GraphQLInt), resolve: () => 'text' },
    things: { type: new GraphQLList(Thing), resolve: () => [{}, later({}), null] },
    strictThing: { type: new GraphQLNonNull(Thing), resolve: () => ({}) },
    thing: { type: Thing, resolve: () => later({}) },
    pets: {
      type: new GraphQLList(Pet),
      resolve: () => [
        { kind: 'Dog', name: 'A', barks: 1 },
        { kind: 'Cat', name: 'B', meows: 2, late: true },
        { kind: 'Cat', name: 'C' },
        { kind: 'Fish' },
      ],
    },
  }),
});
const Mutation = new GraphQLObjectType({
  name: 'Mutation',
  fields: {
    slow: {
      type: GraphQLString,
      resolve: (_root, _args, log: string[]) => later(0).then(() => String(log.push('slow'))),
    },
    fast: { type: GraphQLString, resolve: (_root, _args, log: string[]) => String(log.push('fast')) },
    fails: { type: GraphQLString, resolve: throwing },
  },
});
const Subscription = new GraphQLObjectType({
  name: 'Subscription',
  fields: {
    count: {
      type: GraphQLInt,
      args: { to: { type: GraphQLInt } },
      subscribe: async function* (_root, { to }) {
        for (let n = 1; n <= to; n += 1) yield n;
      },
      resolve: (n) => (n === 2 ? throwing() : n),
    },
    refused: { type: GraphQLInt, subscribe: throwing },
  },
});
const schema = new GraphQLSchema({ query: Thing, mutation: Mutation, subscription: Subscription, types: [Dog, Cat] });

const DOCUMENTS: [text: string, variables?: Record<string, unknown>, operationName?: string][] = [
  ['{ now later nothing alias: now __typename }'],
  ['{ b: later a: now c: later }'],
  ['{ path things { path things { path } } }'],
  ['{ fails failsLater returnsError now }'],
  ['{ thing { must now } now }'],
  ['{ thing { mustLater now } }'],
  ['{ must }'],
  ['{ strictThing { strictThing { mustLater later failsLater } } }'],
  ['{ thing { later mustFail failsLater } now }'],
  ['{ numbers strictNumbers notAList notANumber }'],
  ['{ things { now things { later must } } }'],
  ['{ pets { name __typename ... on Dog { barks } ... on Cat { meows self { name } } } }'],
  [
    'query Q { ...F ...F thing { ...F } } fragment F on Thing { now number ...G } fragment G on Thing { n: number(of: 3) }',
  ],
  ['{ thing { now } thing { later } ... on Thing { thing { number } } }'],
  [
    'query ($yes: Boolean!) { now @include(if: $yes) later @skip(if: $yes) ... @skip(if: $yes) { number } }',
    { yes: true },
  ],
  [
    'query ($yes: Boolean!) { now @include(if: $yes) later @skip(if: $yes) ... @skip(if: $yes) { number } }',
    { yes: false },
  ],
  ['query ($yes: Boolean = false) { now @include(if: $yes) number }'],
  ['query ($n: Int) { number(of: $n) }', {}],
  ['query ($n: Int) { number(of: $n) }', { n: null }],
  ['query ($n: Int = 5) { number(of: $n) }', {}],
  ['query ($n: Int) { number(of: $n) }', { n: 'x' }],
  ['query ($n: Int!) { number(of: $n) }', {}],
  ['query ($t: [String]) { echo(texts: $t) e: echo(texts: "one") f: echo }', { t: ['a', null] }],
  ['query ($t: String) { echo(texts: ["a", $t]) }', { t: 'b' }],
  ['query A { now } query B { later }', {}, 'B'],
  ['query A { now } query B { later }', {}, 'A'],
  ['query A { now } query B { later }', {}, 'C'],
  ['query A { now } query B { later }'],
  ['mutation { slow fast again: slow fails last: fast }'],
  ['{ __proto__: now constructor: later toString: number }'],
  [
    '{ __schema { queryType { name fields { name type { kind name ofType { name } } } } } __type(name: "Pet") { possibleTypes { name } } }',
  ],
];

const run = async (
  execution: typeof execute,
  document: DocumentNode,
  variables?: Record<string, unknown>,
  operationName?: string,
) => {
  const log: string[] = [];
  const result = await execution({
    schema,
    document,
    variableValues: variables,
    operationName,
    contextValue: log,
    rootValue: {},
  });
  return { ...plain(result), log };
};

/** As a client would see it; error order among siblings is not promised by the specification. */
const plain = ({ data, errors }: { data?: unknown; errors?: readonly { toJSON(): unknown }[] }) => ({
  data: JSON.stringify(data),
  errors: errors?.map((error) => JSON.stringify(error.toJSON())).sort(),
});

describe('the planned execution answers as graphql-js does', () => {
  it.each(DOCUMENTS)('%s %j %s', async (text, variables, operationName) => {
    const document = parse(text);
    expect(validate(schema, document)).toEqual([]);
    const expected = await run(reference, document, variables, operationName);
    expect(await run(execute, document, variables, operationName)).toEqual(expected);
    expect(await run(execute, document, variables, operationName)).toEqual(expected);
  });

  it.each(DOCUMENTS)('and as text: %s %j %s', async (text, variables, operationName) => {
    const document = parse(text);
    const expected = await run(reference, document, variables, operationName);
    expect(await run(executeAsText, document, variables, operationName)).toEqual(expected);
    const args = { schema, document, variableValues: variables, operationName, contextValue: [], rootValue: {} };
    const { stringify } = await executeAsText(args);
    if (stringify) expect(stringify().toString()).toBe(`{"data":${expected.data}}`);
    else expect(expected.errors !== undefined || text.startsWith('mutation')).toBe(true);
  });

  it('and sees a document that runs with other variables anew', async () => {
    const document = parse('query ($yes: Boolean!) { now @include(if: $yes) }');
    expect((await run(execute, document, { yes: true })).data).toBe('{"now":"now"}');
    expect((await run(execute, document, { yes: false })).data).toBe('{}');
  });

  it('and keeps no arguments that name a variable, wherever it stands', async () => {
    const document = parse(
      'query ($of: Int, $text: String) { number(of: $of) echo(texts: ["a", $text]) same: number(of: 5) }',
    );
    for (const variables of [{ of: 1, text: 'b' }, { of: 2, text: 'c' }, {}])
      expect(await run(execute, document, variables)).toEqual(await run(reference, document, variables));
  });

  it.each(['subscription { count(to: 3) }', 'subscription { refused }'])('%s', async (text) => {
    const all = async (subscription: unknown) => {
      if (!(Symbol.asyncIterator in (subscription as object))) return [plain(subscription as never)];
      const results: unknown[] = [];
      for await (const result of subscription as AsyncIterable<never>) results.push(plain(result));
      return results;
    };
    const args = { schema, document: parse(text) };
    expect(await all(await subscribe(args))).toEqual(await all(await referenceSubscribe(args)));
  });
});

it('leaves no rejection behind when one field of several fails at once', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listen);
  await run(execute, parse('{ thing { a: failsLater b: mustLater c: mustFail } strictNumbers }'));
  await later(0);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listen);
  expect(unhandled).toEqual([]);
});
