import { readFile } from 'node:fs/promises';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

/** Everything of a type that a description belongs to, by its path. */
function* described(
  type: GraphQLNamedType,
): Generator<readonly [path: string, description: string | null | undefined]> {
  yield [type.name, type.description];
  if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value.description];
  if (isInputObjectType(type))
    for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field.description];
  if (!isObjectType(type) && !isInterfaceType(type)) return;
  for (const field of Object.values(type.getFields())) {
    yield [`${type.name}.${field.name}`, field.description];
    for (const argument of field.args) yield [`${type.name}.${field.name}(${argument.name}:)`, argument.description];
  }
}

const ours = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);

it('describes every type, field, argument and value', () => {
  const everything = ours.flatMap((type) => [...described(type)]);
  expect(everything.length).toBeGreaterThan(300);
  expect(everything.filter(([, description]) => !description?.trim()).map(([path]) => path)).toEqual([]);
});

it('says of every nullable output field when it is null', () => {
  const silent = ours
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ path: `${type.name}.${field.name}`, field })))
    .filter(({ field }) => !String(field.type).endsWith('!') && !/\bnull\b/i.test(field.description ?? ''));
  expect(silent.map(({ path }) => path)).toEqual([]);
});

it('takes no address from anybody: where exchanges are is in the configuration alone', () => {
  const given = ours.flatMap((type) => {
    if (isInputObjectType(type)) return Object.keys(type.getFields()).map((name) => `${type.name}.${name}`);
    if (!isObjectType(type)) return [];
    return Object.values(type.getFields()).flatMap(({ args }) => args.map(({ name }) => `${type.name}(${name}:)`));
  });
  expect(given.length).toBeGreaterThan(50);
  expect(given.filter((name) => /ur[il]|host|address|endpoint|proxy|connection|custom|param/i.test(name))).toEqual([]);
});

it('is printed into schema/schema.graphql as it is (npm run schema)', async () => {
  const printed = await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
  expect(printed).toBe(`${printSchema(lexicographicSortSchema(schema))}\n`);
});
