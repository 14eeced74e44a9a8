import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getArgumentValues,
  getOperationAST,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';

const LONGEST_TARGET = 200;
export const LONGEST_REASON = 500;
/** An operation has one mutation; of more, which is refused anyway, a few tell enough. */
const MOST_TOLD = 3;

/** What a mutation is to be done to, and why, as whoever asks for it says; null where he says nothing. */
export interface Said {
  readonly target: string | null;
  readonly reason: string | null;
}

/** Of any arguments, also those no mutation has. */
export function saidBy({ input, reason }: Readonly<Record<string, unknown>>): Said {
  const { name, id, exchange, symbol } = (input ?? {}) as Readonly<Record<string, unknown>>;
  const market = typeof exchange === 'string' && typeof symbol === 'string' ? `${exchange}:${symbol}` : null;
  return { target: kept(name ?? id ?? market, LONGEST_TARGET), reason: kept(reason, LONGEST_REASON) };
}

/** PostgreSQL keeps no text with a zero byte. */
const kept = (text: unknown, longest: number): string | null =>
  typeof text === 'string' ? text.replaceAll('\0', '').slice(0, longest) : null;

/** The mutations an operation asks for, up to three; none of a query. The document need not be valid. */
export function askedMutations(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  variables: Readonly<Record<string, unknown>>,
): readonly (Said & { readonly action: string })[] {
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.MUTATION) return [];
  const fields = schema.getMutationType()?.getFields() ?? {};
  const asked = rootFields(document, operation.selectionSet).filter(({ name }) => Object.hasOwn(fields, name.value));
  return asked.slice(0, MOST_TOLD).map((node) => {
    const field = fields[node.name.value];
    return { action: node.name.value, ...saidBy(field ? argumentsOf(field, node, variables) : {}) };
  });
}

function rootFields(document: DocumentNode, root: SelectionSetNode): readonly FieldNode[] {
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node.selectionSet]),
  );
  const found: FieldNode[] = [];
  // A set takes each selection set once, so that fragments in a circle end.
  const open = new Set([root]);
  for (const { selections } of open)
    for (const node of selections) {
      const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node.selectionSet;
      if (node.kind === Kind.FIELD) found.push(node);
      else if (inner) open.add(inner);
    }
  return found;
}

function argumentsOf(...asked: Parameters<typeof getArgumentValues>): Readonly<Record<string, unknown>> {
  try {
    return getArgumentValues(...asked);
  } catch {
    return {}; // of a kind that does not fit: it is refused, and says nothing
  }
}
