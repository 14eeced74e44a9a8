import {
  type ArgumentNode,
  BREAK,
  defaultFieldResolver,
  type FieldNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  getArgumentValues,
  getNullableType,
  isLeafType,
  isNonNullType,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';
import { type Complete, completerOf } from './complete.ts';
import { collectFields, type SelectionScope } from './selection.ts';

/** One field of one object type in one document, with everything that does not change from run to run. */
export interface FieldPlan {
  readonly key: string;
  /** What stands before its value in the object's JSON text. */
  readonly textKey: string;
  readonly parentType: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: readonly [FieldNode, ...FieldNode[]];
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  /** Of a field whose arguments are the same in every run, as no variable is named: worked out when first needed. */
  readonly argumentsOf: (variables: Variables) => Arguments;
  /** Whether the resolver declares the fourth parameter, or may read it unseen. */
  readonly needsInfo: boolean;
  readonly complete: Complete;
  /** Null may stand in its place. */
  readonly isNullable: boolean;
  /** A single scalar or enum value: it is complete by itself. */
  readonly isLeaf: boolean;
  /** What is asked of the object this field returns, by its concrete type. */
  readonly selectionOf: (type: GraphQLObjectType) => SelectionPlan;
}

/** What one object is turned into. */
export interface SelectionPlan {
  readonly type: GraphQLObjectType;
  readonly fields: readonly FieldPlan[];
  /** `__proto__` is a valid alias; such an answer needs an object without a prototype. */
  readonly bare: boolean;
}

export function planSelection(
  scope: SelectionScope,
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
): SelectionPlan {
  const fields: FieldPlan[] = [];
  for (const [key, nodes] of collectFields(scope, type, selectionSets)) {
    const [first, ...others] = nodes;
    const field = first && fieldOf(scope, type, first.name.value);
    if (!first || !field) continue;
    const resolve = field.resolve ?? defaultFieldResolver;
    fields.push({
      ...{
        key,
        textKey: `${fields.length === 0 ? '{' : ','}"${key}":`,
        parentType: type,
        field,
        nodes: [first, ...others],
        resolve,
      },
      argumentsOf: argumentsOf(field, first),
      needsInfo: resolve.length === 0 || resolve.length > 3,
      complete: completerOf(field.type),
      isNullable: !isNonNullType(field.type),
      isLeaf: isLeafType(getNullableType(field.type)),
      selectionOf: selections(scope, nodes),
    });
  }
  return { type, fields, bare: fields.some(({ key }) => key === '__proto__') };
}

type Variables = { [name: string]: unknown };
export type Arguments = { [name: string]: unknown };

const NO_ARGUMENTS: Arguments = Object.freeze({});

/** How a field's arguments are read; once in all where they name no variable. Resolvers do not change them. */
function argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): FieldPlan['argumentsOf'] {
  if (field.args.length === 0) return () => NO_ARGUMENTS;
  if (node.arguments?.some(namesVariable)) return (variables) => getArgumentValues(field, node, variables);
  let known: Arguments | null = null;
  return () => {
    known ??= getArgumentValues(field, node);
    return known;
  };
}

function namesVariable(argument: ArgumentNode): boolean {
  let found = false;
  visit(argument, {
    Variable: () => {
      found = true;
      return BREAK;
    },
  });
  return found;
}

/** Plans are made when a type is first met, so an interface costs only for the types that occur. */
function selections(scope: SelectionScope, nodes: readonly FieldNode[]): FieldPlan['selectionOf'] {
  const known = new Map<GraphQLObjectType, SelectionPlan>();
  return (type) => {
    let plan = known.get(type);
    if (!plan) {
      plan = planSelection(
        scope,
        type,
        nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
      );
      known.set(type, plan);
    }
    return plan;
  };
}

function fieldOf(
  { schema }: SelectionScope,
  type: GraphQLObjectType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (type === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return type.getFields()[name];
}
