import type { ObjectRef } from '@pothos/core';
import { AppError } from '../runtime/errors.ts';
import { isStorable } from '../storage/storable.ts';
import { builder } from './builder.ts';
import type { GraphQLContext } from './context.ts';

type Ref<Shape> = ObjectRef<typeof builder.$inferSchemaTypes, Shape>;
type Load = (id: string, context: GraphQLContext) => object | null | Promise<object | null>;

/** `nodes` takes at most this many ids. */
const MAX_IDS = 100;

const loaders = new Map<string, Load>();
/** Which type an object was loaded as; the interface has nothing else to tell by. */
const typenames = new WeakMap<object, string>();

export const NodeInterface = builder.interfaceRef<object>('Node').implement({
  description: 'Something with an id that is unique among everything this API serves.',
  resolveType: (value) => typenames.get(value) ?? null,
  fields: (t) => ({
    id: t.id({ description: 'Global id; `node(id:)` finds the same object again.', resolve: () => '' }),
  }),
});

/** Makes the objects of a type findable by `node`. `load` gets what `globalIdField` was given, and answers null when there is none. */
export function findableBy<Shape extends object>(
  type: Ref<Shape>,
  load: (id: string, context: GraphQLContext) => Shape | null | Promise<Shape | null>,
): void {
  loaders.set(type.name, load);
}

/** Unique among all types: the type's name and the id within it. */
export const globalId = (typename: string, id: string): string =>
  Buffer.from(`${typename}:${id}`).toString('base64url');

/** @throws {AppError} BAD_USER_INPUT for text that is no global id. */
async function loadNode(text: string, context: GraphQLContext): Promise<object | null> {
  const [, typename = '', id = ''] = /^(\w+):(.+)$/s.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  const load = loaders.get(typename);
  if (!load || !isStorable(id)) throw new AppError('BAD_USER_INPUT', 'An id is given exactly as an `id` field gave it');
  const found = await load(id, context);
  if (found) typenames.set(found, typename);
  return found;
}

builder.queryFields((t) => ({
  node: t.field({
    type: NodeInterface,
    nullable: true,
    description: 'The object with a global id; null when there is none (any more). Code: BAD_USER_INPUT.',
    args: { id: t.arg.id({ required: true, description: 'As an `id` field gave it.' }) },
    resolve: (_root, { id }, context) => loadNode(id, context),
  }),
  nodes: t.field({
    type: [NodeInterface],
    nullable: { list: false, items: true },
    description:
      'The objects with these global ids, in the same order; null where there is none. Code: BAD_USER_INPUT.',
    args: { ids: t.arg.idList({ required: true, description: `As \`id\` fields gave them; at most ${MAX_IDS}.` }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > MAX_IDS)
        throw new AppError('BAD_USER_INPUT', `\`ids\` takes at most ${MAX_IDS}, was given ${ids.length}`);
      return Promise.all(ids.map((id) => loadNode(id, context)));
    },
  }),
}));
