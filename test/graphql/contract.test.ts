import { readFileSync } from 'node:fs';
import {
  buildSchema,
  DangerousChangeType,
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLSchema,
  isInputObjectType,
  printSchema,
} from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

const contract = buildSchema(readFileSync(new URL('contract.graphql', import.meta.url), 'utf8'));
// Read back from text, as defaults are compared and ours has values of its own for the words of an enum.
const served = buildSchema(printSchema(schema));

it('keeps every name, argument, default and type that clients rely on', () => {
  const changedDefaults = findDangerousChanges(contract, served).filter(
    ({ type }) => type === DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE,
  );
  const broken = [...findBreakingChanges(contract, served), ...changedDefaults];
  expect(broken.map(({ description }) => description)).toEqual([]);
});

it('keeps the defaults of input objects, which the comparison above does not see', () => {
  expect(inputDefaults(contract)).toContainEqual(['Delivery.mode', 'LOSSLESS']);
  expect(inputDefaults(served)).toEqual(expect.arrayContaining(inputDefaults(contract)));
});

const inputDefaults = (of: GraphQLSchema) =>
  Object.values(of.getTypeMap())
    .filter(isInputObjectType)
    .flatMap((type) =>
      Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field.defaultValue]),
    );
