import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql';
import { expect, it } from 'vitest';
import { subscribe } from '../../src/graphql/execution/execute.ts';
import type { LiveResults } from '../../src/graphql/execution/live-results.ts';
import { mapStream } from '../../src/graphql/map-stream.ts';
import { PullStream } from '../../src/pipeline/stream/pull-stream.ts';

const origins = [{}, {}];
let made = 0;
let failing = 0;

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { now: { type: GraphQLString } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      count: {
        type: new GraphQLNonNull(GraphQLInt),
        args: { of: { type: GraphQLString } },
        // Every subscriber gets an event of its own; those of one origin are common to all.
        subscribe: () => {
          const events: object[] = [...origins.map((origin) => ({ origin })), {}];
          const source = new PullStream<object>({ pull: () => events.shift() ?? null, close: () => {} });
          return mapStream(source, (event) => event);
        },
        resolve: () => {
          made += 1;
          if (made === failing) throw new Error('refused');
          return made;
        },
      },
    },
  }),
});

const open = async (text: string, variableValues: Record<string, unknown> = {}, contextValue: object = {}) => {
  const results = await subscribe({ schema, document: parse(text), variableValues, contextValue });
  if (!(Symbol.asyncIterator in results)) throw new Error(JSON.stringify(results));
  return results;
};
const next = async (results: AsyncIterator<unknown>) => (await results.next()).value;

it('answers common events once for all who ask the same, and others for each', async () => {
  const text = 'subscription ($of: String) { count(of: $of) }';
  const [one, two, other, renamed] = [
    await open(text),
    await open(text),
    await open(text, { of: 'else' }),
    await open('subscription { count }'),
  ];
  for (const _ of origins) {
    const answer = await next(one);
    expect(await next(two)).toBe(answer);
    expect(await next(other)).not.toEqual(answer);
    expect(await next(renamed)).not.toEqual(answer);
  }
  expect(await next(one)).not.toEqual(await next(two));
});

it('forgets an answer when nobody subscribes any more', async () => {
  const text = 'subscription Once { count }';
  const before = await open(text);
  const answer = await next(before);
  await before.return?.();
  await before.return?.();
  const [after, beside] = [await open(text), await open(text)];
  const again = await next(after);
  expect(again).not.toEqual(answer);
  expect(await next(beside)).toBe(again);
});

/** Hands the results of a subscription to a transport, past the iterator. */
async function handOver(text: string, take: (results: number) => Promise<undefined> | undefined) {
  const got: unknown[] = [];
  let ends = 0;
  let taken: LiveResults | null = null;
  await open(text, {}, { takeResults: (results: LiveResults) => (taken = results) });
  const results = taken as LiveResults | null;
  results?.handTo({
    take: (result) => {
      got.push(result);
      return take(got.length);
    },
    ended: () => {
      ends += 1;
    },
  });
  return { got, ends: () => ends, leave: () => results?.return() };
}

it('hands results to a transport that takes them itself, also those with errors, and waits while it is full', async () => {
  failing = made + 3;
  const full = Promise.withResolvers<undefined>();
  const { got, ends, leave } = await handOver('subscription Handed { count }', (results) =>
    results === 2 ? full.promise : undefined,
  );
  expect(got).toHaveLength(2);
  full.resolve(undefined);
  await full.promise;
  expect(got).toHaveLength(3);
  expect(got[2]).toMatchObject({ errors: [{ message: 'refused' }] });
  await leave();
  expect(ends()).toBe(1);
});

it('ends with a result that says why the transport failed', async () => {
  const { got, ends } = await handOver('subscription Broken { count }', (results) => {
    if (results === 2) throw new Error('broken');
    return undefined;
  });
  expect(got).toHaveLength(3);
  expect(got[2]).toMatchObject({ errors: [{ message: 'broken' }] });
  expect(ends()).toBe(1);
});
