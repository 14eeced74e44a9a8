import type { GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLInputType, GraphQLSchema } from 'graphql';
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** Where a text of a client can go: an argument of a field at the root, or a field of one that is an object. */
export interface Place {
  readonly operation: 'query' | 'mutation' | 'subscription';
  readonly field: string;
  /** From the argument on. */
  readonly path: readonly string[];
  /** Of the text itself: String, ID, Cursor, an enum … */
  readonly type: string;
  /** A call of the field with this value there and good ones beside it. */
  call(value: string): string;
}

const NO_TEXT = ['Int', 'Boolean'];

/** Every place of a schema; arguments beside one are as short as may be. */
export function placesOf(schema: GraphQLSchema): readonly Place[] {
  return (['query', 'mutation', 'subscription'] as const).flatMap((operation) => {
    const root = schema.getType(`${operation[0]?.toUpperCase()}${operation.slice(1)}`);
    return isObjectType(root) ? Object.values(root.getFields()).flatMap((field) => ofField(operation, field)) : [];
  });
}

function ofField(operation: Place['operation'], field: GraphQLField<unknown, unknown>): readonly Place[] {
  const selection = isLeafType(getNamedType(field.type)) ? '' : ` { ${selectionOf(getNamedType(field.type))} }`;
  return field.args.flatMap((argument) =>
    pathsOf(argument).map(({ path, type }) => ({
      ...{ operation, field: field.name, path, type },
      call: (value) => `${field.name}(${literalsOf(field.args, { path, value }, operation)})${selection}`,
    })),
  );
}

/** Of a page its cursors: their making is a part of what is attacked. */
function selectionOf(type: ReturnType<typeof getNamedType>): string {
  return isObjectType(type) && type.getFields().edges !== undefined && type.getFields().pageInfo !== undefined
    ? 'pageInfo { endCursor }'
    : '__typename';
}

type Input = GraphQLArgument | GraphQLInputField;

function pathsOf({ name, type }: Input): readonly { readonly path: readonly string[]; readonly type: string }[] {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return NO_TEXT.includes(named.name) ? [] : [{ path: [name], type: named.name }];
  return Object.values(named.getFields()).flatMap((inner) =>
    pathsOf(inner).map((found) => ({ ...found, path: [name, ...found.path] })),
  );
}

interface Put {
  readonly path: readonly string[];
  readonly value: string;
}

/** What must be there, and what leads to the place. */
const literalsOf = (inputs: readonly Input[], { path, value }: Put, operation: string): string =>
  inputs
    .filter((one) => one.name === path[0] || (isNonNullType(one.type) && one.defaultValue === undefined))
    .map(
      ({ name, type }) =>
        `${name}: ${literalOf(name, type, name === path[0] ? { path: path.slice(1), value } : null, operation)}`,
    )
    .join(', ');

function literalOf(name: string, type: GraphQLInputType, put: Put | null, operation: string): string {
  if (isNonNullType(type)) return literalOf(name, type.ofType, put, operation);
  if (isListType(type)) return `[${literalOf(name, type.ofType, put, operation)}]`;
  if (isInputObjectType(type))
    return `{ ${literalsOf(Object.values(type.getFields()), put ?? { path: [], value: '' }, operation)} }`;
  if (put !== null) return put.value;
  if (isEnumType(type)) return GOOD[type.name] ?? type.getValues()[0]?.name ?? '';
  // What a mutation names is not there, so that nothing is changed but what is said about it.
  if (name === 'symbol' || name === 'symbols') return operation === 'mutation' ? '"NO-SUCH"' : '"BTC-USDT"';
  return GOOD[name] ?? GOOD[type.name] ?? 'null';
}

const GOOD: Readonly<Record<string, string>> = {
  exchange: '"okx"',
  name: '"okx:NO-SUCH"',
  DateTime: '"2026-01-01T00:00:00Z"',
  to: '"2026-01-02T00:00:00Z"',
  Date: '"2026-01-01"',
  CandleInterval: 'H1',
  DataType: 'TICKER',
  ID: '"QmFja2ZpbGw6MQ"',
};
