import { Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { measurer } from '../../../src/graphql/limits/measure.ts';

function measure(text: string) {
  const document = parse(text);
  const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return measurer(document)(operation.selectionSet);
}

describe('a selection set', () => {
  it.each([
    ['fields side by side', '{ a b }', { depth: 1, fields: 2, aliases: 0, selections: 2 }],
    ['fields within fields', '{ a { b { c } } d }', { depth: 3, fields: 2, aliases: 0, selections: 4 }],
    ['aliases on any level', '{ x: a { y: b } }', { depth: 2, fields: 1, aliases: 2, selections: 2 }],
    [
      'inline fragments, which are no level',
      '{ ... { a { ... on B { b } } } }',
      { depth: 2, fields: 1, selections: 4 },
    ],
    [
      'a fragment as often as it is spread',
      '{ ...F ...F } fragment F on Q { x: a { b } }',
      { fields: 2, aliases: 2, selections: 6 },
    ],
    ['no fragment that is not there', '{ a ...F }', { depth: 1, fields: 1, selections: 2 }],
    ['a fragment that spreads itself once', '{ ...F } fragment F on Q { a ...F }', { depth: 1, fields: 1 }],
    ['names side by side', '{ a { b } x: b ...F } fragment F on Q { a { b b } x }', { repeats: 2 }],
    ['introspection apart', '{ __schema { types { name } } a }', { depth: 1, introspectionDepth: 3, fields: 2 }],
  ])('measures %s', (_what, text, expected) => {
    expect(measure(text)).toMatchObject(expected);
  });

  it('of fragments that double forty times over is measured at once', () => {
    const fragments = Array.from({ length: 40 }, (_, k) => `fragment F${k} on Q { ...F${k + 1} ...F${k + 1} }`);
    const measured = measure(`{ ...F0 } ${fragments.join(' ')} fragment F40 on Q { a }`);
    expect(measured.fields).toBe(1e9);
  });
});
