import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';
import type { Clock } from '../../runtime/clock.ts';
import type { Limits } from '../../runtime/limits.ts';
import { isStorable } from '../../storage/storable.ts';
import { type Arguments, COSTS, type FieldCost, pageRows, SOME, spanOf } from './costs.ts';
import { refused } from './refusal.ts';

const DAY_MS = 86_400_000;
const MOST = 1e12;

/** A validated operation of a document that keeps its limits, so it has no cycles and few selections. */
export interface AskedOperation {
  readonly schema: GraphQLSchema;
  readonly node: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
}

/**
 * Before an operation runs: what its arguments, literals and variables alike, break of the limits, and texts among them that no database
 * could hold; null for nothing.
 */
export type CheckOperation = (
  operation: AskedOperation,
  variables: Readonly<Record<string, unknown>>,
) => GraphQLError | null;

export function operationCheck(limits: Limits, clock: Clock): CheckOperation {
  const same = new WeakMap<OperationDefinitionNode, GraphQLError | { readonly refused: null }>();
  return (operation, variables) => {
    const known = same.get(operation.node);
    if (known) return 'refused' in known ? null : known;
    const asked = new Asked(operation, variables, limits, clock.now());
    const found = asked.broken();
    // Without variables it is the same every time, unless a stretch of time ends now.
    if (!operation.node.variableDefinitions?.length && !asked.endsNow)
      same.set(operation.node, found ?? { refused: null });
    return found;
  };
}

/** An operation with its variables. */
class Asked {
  readonly #operation: AskedOperation;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #limits: Limits;
  readonly #now: number;
  #broken: GraphQLError | null = null;
  /** Whether what it asks for grows with time. */
  endsNow = false;

  constructor(operation: AskedOperation, variables: Readonly<Record<string, unknown>>, limits: Limits, now: number) {
    this.#operation = operation;
    this.#variables = variables;
    this.#limits = limits;
    this.#now = now;
  }

  broken(): GraphQLError | null {
    const { schema, node } = this.#operation;
    const root = schema.getRootType(node.operation);
    const value = root ? Math.ceil(this.#costOf(node.selectionSet, root, 1)) : 0;
    const limit = this.#limits.cost;
    if (value > limit)
      this.#broken ??= refused({
        ...{ rule: 'cost', value, limit, what: `The operation costs ${value}` },
        wayOut: 'ask for smaller pages or fewer fields, or in several operations',
      });
    return this.#broken;
  }

  /** Of what is selected of one object; `page` is what its `edges` hold. */
  #costOf({ selections }: SelectionSetNode, type: GraphQLNamedType, page: number): number {
    let cost = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const field = this.#fieldOf(type, selection.name.value);
        if (field) cost += this.#costOfField(field, type, selection, page);
        else cost += 1;
      } else {
        const fragment =
          selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#operation.fragments[selection.name.value];
        const condition = fragment?.typeCondition?.name.value;
        const narrowed = condition === undefined ? type : this.#operation.schema.getType(condition);
        if (fragment && narrowed) cost += this.#costOf(fragment.selectionSet, narrowed, page);
      }
    }
    return Math.min(MOST, cost);
  }

  #costOfField(field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType, node: FieldNode, page: number): number {
    const args = this.#argumentsOf(field, node);
    for (const [name, value] of Object.entries(args)) this.#checkValue(name, value);
    const special = COSTS[`${parent.name}.${field.name}`] ?? {};
    if (special.spans) this.#checkSpan(field.name, args);
    const rows = this.#rowsOf(field, args, special, page);
    const inner = node.selectionSet ? this.#costOf(node.selectionSet, getNamedType(field.type), rows) : 0;
    const items = isList(field.type) ? rows : 1;
    return (special.work?.(args, rows, this.#now) ?? 0) + items * (1 + inner);
  }

  /** What is wrong with arguments the field itself says when it is resolved. */
  #argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Arguments {
    if (field.args.length === 0) return {};
    try {
      return getArgumentValues(field, node, this.#variables);
    } catch {
      return {};
    }
  }

  #rowsOf(
    { name, type, args: defined }: GraphQLField<unknown, unknown>,
    args: Arguments,
    { rows }: FieldCost,
    page: number,
  ): number {
    if (rows) return rows(args, this.#now);
    if (defined.some((one) => one.name === 'first')) return Math.max(0, pageRows(args));
    if (name === 'edges') return page;
    return isList(type) ? SOME : 1;
  }

  /** `name` is where it stands: "symbols", "input.name". */
  #checkValue(name: string, value: unknown): void {
    if (typeof value === 'string') return this.#checkText(name, value);
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) return this.#checkList(name, value);
    for (const [key, inner] of Object.entries(value)) this.#checkValue(`${name}.${key}`, inner);
  }

  #checkList(name: string, values: readonly unknown[]): void {
    const limit = this.#limits.list_length;
    if (values.length <= limit) for (const value of values) this.#checkValue(name, value);
    else
      this.#broken ??= refused({
        ...{ rule: 'list_length', value: values.length, limit, what: `\`${name}\` has ${values.length} values` },
        wayOut: 'ask in several operations',
      });
  }

  #checkText(name: string, text: string): void {
    if (isStorable(text)) return;
    this.#broken ??= new GraphQLError(
      `\`${name}\` has a zero byte or half a character, which no text may have: leave it out`,
      { extensions: { code: 'BAD_USER_INPUT' } },
    );
  }

  #checkSpan(name: string, args: Arguments): void {
    this.endsNow ||= args.to == null;
    const limit = this.#limits.time_span_days;
    const value = Math.ceil((spanOf(args, this.#now) ?? 0) / DAY_MS);
    if (value > limit)
      this.#broken ??= refused({
        ...{ rule: 'time_span_days', value, limit, what: `\`${name}\` goes over ${value} days` },
        wayOut: 'ask for one stretch after the other with `from` and `to`',
      });
  }

  #fieldOf(type: GraphQLNamedType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
  }
}

const isList = (type: GraphQLOutputType): boolean => isListType(getNullableType(type));
