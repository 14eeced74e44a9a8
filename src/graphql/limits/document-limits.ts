import { type DocumentNode, type GraphQLError, Kind, type OperationDefinitionNode, OperationTypeNode } from 'graphql';
import type { Limits } from '../../runtime/limits.ts';
import { countDirectives, measurer, mostRepeated } from './measure.ts';
import { type Refusal, refused } from './refusal.ts';

/** What GraphiQL asks of the schema is 15 deep. */
const INTROSPECTION_DEPTH = 15;

/**
 * The first limit a document breaks whatever its variables are; null when it keeps them all. Asked before it is validated: the
 * rules of GraphQL compare every field with every other.
 */
export function checkDocument(document: DocumentNode, limits: Limits): GraphQLError | null {
  const directives = countDirectives(document);
  if (directives > limits.directives)
    return refused({
      ...{ rule: 'directives', value: directives, limit: limits.directives },
      ...{ what: `The document has ${directives} directives`, wayOut: 'leave fields out instead of skipping them' },
    });
  const measure = measurer(document);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const broken = [...brokenBy(measure(definition.selectionSet), limits)][0] ?? repeats(document, definition);
    if (broken) return refused(broken);
  }
  return null;
}

type Measured = ReturnType<ReturnType<typeof measurer>>;

function* brokenBy(measured: Measured, limits: Limits): Generator<Refusal> {
  const rules = [
    ['selections', measured.selections, 'selections', 'ask for less, or in several operations'],
    ['root_fields', measured.fields, 'fields at its root', 'ask in several operations'],
    ['aliases', measured.aliases, 'aliases', 'ask in several operations'],
    ['repeats', measured.repeats, 'fields of one name side by side', 'ask for each once'],
    ['depth', measured.depth, 'levels of fields', 'ask for what lies deeper by its id'],
  ] as const;
  for (const [rule, value, things, wayOut] of rules)
    if (value > limits[rule])
      yield { rule, value, limit: limits[rule], what: `The operation has ${value} ${things}`, wayOut };
  const value = measured.introspectionDepth;
  if (value > INTROSPECTION_DEPTH)
    yield {
      ...{ rule: 'introspection_depth', value, limit: INTROSPECTION_DEPTH },
      ...{ what: `Introspection has ${value} levels of fields`, wayOut: 'follow ofType less far' },
    };
}

/** Each mutation once in an operation: what is done many times at once is done by its `All` field, or asked many times. */
function repeats(document: DocumentNode, { operation, selectionSet }: OperationDefinitionNode): Refusal | null {
  if (operation !== OperationTypeNode.MUTATION) return null;
  const [name, value] = mostRepeated(document, selectionSet);
  if (value <= 1) return null;
  return {
    ...{ rule: 'mutation_once', value, limit: 1 },
    ...{ what: `The operation has \`${name}\` ${value} times`, wayOut: 'send one operation after the other' },
  };
}
