import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql';
import { expect, it } from 'vitest';
import { subscribe } from '../../src/graphql/execution/execute.ts';
import { mapStream } from '../../src/graphql/map-stream.ts';
import { PullStream } from '../../src/pipeline/pull-stream.ts';

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

it('hands plain results to a transport that takes them itself, and waits while it is full', async () => {
  const delivered: unknown[] = [];
  const full = Promise.withResolvers<undefined>();
  const deliver = (result: unknown) => {
    delivered.push(result);
    return delivered.length === 2 ? full.promise : undefined;
  };
  const results = await open('subscription Delivered { count }', {}, { deliver });
  const end = results.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(delivered).toHaveLength(2);
  full.resolve(undefined);
  await full.promise;
  expect(delivered).toHaveLength(3);
  await results.return?.();
  expect(await end).toEqual({ value: undefined, done: true });
});

it('gives results with errors to whoever reads, and goes on delivering after them', async () => {
  const delivered: unknown[] = [];
  const deliver = (result: unknown) => void delivered.push(result);
  failing = made + 2;
  const results = await open('subscription Failing { count }', {}, { deliver });
  expect(await next(results)).toMatchObject({ errors: [{ message: 'refused' }] });
  expect(delivered).toHaveLength(1);
  const end = results.next();
  expect(delivered).toHaveLength(2);
  await results.return?.();
  expect(await end).toEqual({ value: undefined, done: true });
});
