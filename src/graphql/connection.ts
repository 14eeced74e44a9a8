import type { ObjectRef } from '@pothos/core';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import type { NodeList } from './context.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './limits/page-size.ts';
import type { CursorCodec } from './page-cursor.ts';

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** Which rows one page shows, in the words of storage. */
export interface Page<Key> {
  readonly limit: number;
  readonly after: Key | null;
  readonly before: Key | null;
  readonly fromEnd: boolean;
}

/** Relay's paging arguments, the same wherever a list pages. */
export const pageArgs = () =>
  builder.args((t) => ({
    first: t.int({
      description: `At most this many from the start of the range, 1 to ${MAX_PAGE}. Without \`first\` and \`last\`: ${DEFAULT_PAGE}.`,
    }),
    after: t.field({
      type: 'Cursor',
      description: 'Only what follows this cursor, exclusive. From the same field with the same filter.',
    }),
    last: t.int({
      description: `At most this many from the end of the range, 1 to ${MAX_PAGE}, still in \`order\`. Not together with \`first\`.`,
    }),
    before: t.field({
      type: 'Cursor',
      description: 'Only what precedes this cursor, exclusive. From the same field with the same filter.',
    }),
  }));

/** @throws {AppError} BAD_USER_INPUT for a size out of range or both sizes, CURSOR_INVALID for a cursor of elsewhere. */
export function readPage<Key>(args: PageArgs, cursors: CursorCodec<Key>): Page<Key> {
  if (args.first != null && args.last != null) throw new AppError('BAD_USER_INPUT', 'Give `first` or `last`, not both');
  for (const name of ['first', 'last'] as const) {
    const size = args[name];
    if (size != null && (size < 1 || size > MAX_PAGE))
      throw new AppError('BAD_USER_INPUT', `\`${name}\` is 1 to ${MAX_PAGE}, was ${size}`);
  }
  return {
    limit: args.first ?? args.last ?? DEFAULT_PAGE,
    after: args.after == null ? null : cursors.decode(args.after),
    before: args.before == null ? null : cursors.decode(args.before),
    fromEnd: args.last != null,
  };
}

/** A node and how its cursor would be written; most queries never ask for it. */
export interface Edge<Node> {
  readonly node: Node;
  readonly cursor: () => string;
}

export interface Connection<Node> {
  readonly edges: NodeList<Edge<Node>>;
  readonly page: Page<unknown>;
  readonly hasMore: boolean;
}

/** One page as relay shows it. `keyOf` gives the place of a node for its cursor. */
export const toConnection = <Node, Key>(
  nodes: readonly Node[],
  hasMore: boolean,
  page: Page<Key>,
  cursors: CursorCodec<Key>,
  keyOf: (node: Node) => Key,
): Connection<Node> => ({
  edges: nodes.map((node) => ({ node, cursor: () => cursors.encode(keyOf(node)) })),
  page,
  hasMore,
});

const PageInfo = builder.objectRef<Connection<unknown>>('PageInfo').implement({
  description: 'Where a page lies in its list.',
  fields: (t) => ({
    hasNextPage: t.boolean({
      description:
        'Whether more follows in `order`. Exact when paging with `first`; with `last` it says whether `before` was given.',
      resolve: ({ page, hasMore }) => (page.fromEnd ? page.before !== null : hasMore),
    }),
    hasPreviousPage: t.boolean({
      description:
        'Whether more precedes in `order`. Exact when paging with `last`; with `first` it says whether `after` was given.',
      resolve: ({ page, hasMore }) => (page.fromEnd ? hasMore : page.after !== null),
    }),
    startCursor: t.field({
      type: 'Cursor',
      nullable: true,
      description: 'Of the first edge; null on an empty page.',
      resolve: ({ edges }) => edges.at(0)?.cursor() ?? null,
    }),
    endCursor: t.field({
      type: 'Cursor',
      nullable: true,
      description: 'Of the last edge: the next `after`; null on an empty page.',
      resolve: ({ edges }) => edges.at(-1)?.cursor() ?? null,
    }),
  }),
});

/** The edge type of a node type, named after it. */
export const edgeType = <Node>(name: string, node: ObjectRef<typeof builder.$inferSchemaTypes, Node>) =>
  builder.objectRef<Edge<Node>>(`${name}Edge`).implement({
    description: `One ${name} and its place.`,
    fields: (t) => ({
      node: t.field({ type: node, description: `The ${name}.`, resolve: (edge) => edge.node as never }),
      cursor: t.field({
        type: 'Cursor',
        description: 'Its place: give it as `after` or `before`.',
        resolve: (edge) => edge.cursor(),
      }),
    }),
  });

/** The connection type over an edge type. */
export const connectionType = <Node>(name: string, edge: ObjectRef<typeof builder.$inferSchemaTypes, Edge<Node>>) =>
  builder.objectRef<Connection<Node>>(`${name}Connection`).implement({
    description: `A page of a list of ${name}.`,
    fields: (t) => ({
      edges: t.field({ type: [edge], description: 'In `order`.', resolve: (page) => page.edges }),
      pageInfo: t.field({ type: PageInfo, description: 'Where this page lies.', resolve: (page) => page }),
    }),
  });
