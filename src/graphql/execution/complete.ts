import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { FieldPlan, SelectionPlan } from './plan.ts';
import { fail, infoOf, isPromise, type Path, type Run, runObject, whenLate } from './run.ts';
import { type Hole, lose, loseText, output, placed, WRITTEN, type WritesItself, writesItself } from './text-output.ts';

/** Turns a resolver's value into its part of the answer, or a promise of it. Throws what makes the field an error. */
export type Complete = (run: Run, plan: FieldPlan, value: unknown, path: Path) => unknown;

/** How values of a type are completed; worked out once a field, not once a value. */
export function completerOf(type: GraphQLOutputType): Complete {
  if (isNonNullType(type)) return nonNull(completerOf(type.ofType));
  const present = isListType(type)
    ? list(type.ofType)
    : isLeafType(type)
      ? leaf(type)
      : isObjectType(type)
        ? object(type)
        : abstract(type);
  return (run, plan, value, path) => {
    if (value == null) return null;
    if (value instanceof Error) throw value;
    return present(run, plan, value, path);
  };
}

function nonNull(complete: Complete): Complete {
  const demand = (plan: FieldPlan, completed: unknown): unknown => {
    if (completed !== null) return completed;
    throw new Error(`Cannot return null for non-nullable field ${plan.parentType.name}.${plan.field.name}.`);
  };
  return (run, plan, value, path) => {
    const completed = complete(run, plan, value, path);
    return isPromise(completed) ? completed.then((late) => demand(plan, late)) : demand(plan, completed);
  };
}

const leaf =
  (type: GraphQLLeafType): Complete =>
  ({ asText }, _plan, value) => {
    const serialized = type.serialize(value);
    if (serialized == null) throw new Error(`Expected \`${type}.serialize\` to return a value`);
    if (!asText) return serialized;
    output.value(serialized);
    return WRITTEN;
  };

function list(itemType: GraphQLOutputType): Complete {
  const complete = completerOf(itemType);
  const nullable = !isNonNullType(itemType);
  const named = getNullableType(itemType);
  return (run, plan, values, path) => {
    if (typeof values !== 'object' || !(Symbol.iterator in (values as object)))
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${plan.parentType.name}.${plan.field.name}".`,
      );
    const items = values as Iterable<unknown>;
    const completeAt = (value: unknown, key: number) =>
      completeItem(run, plan, complete, nullable, value, { prev: path, key, typename: undefined });
    if (!run.asText) return gatherList(items, completeAt);
    return writesItself(items) && isObjectType(named) && writeWhole(items, plan.selectionOf(named))
      ? WRITTEN
      : writeList(items, completeAt);
  };
}

type CompleteAt = (value: unknown, key: number) => unknown;

function gatherList(values: Iterable<unknown>, complete: CompleteAt): unknown {
  const completed: unknown[] = [];
  let waiting = false;
  try {
    for (const value of values) {
      const one = complete(value, completed.length);
      if (isPromise(one)) waiting = true;
      completed.push(one);
    }
  } catch (error) {
    return lose(error, waiting ? completed : null);
  }
  return waiting ? Promise.all(completed) : completed;
}

function writeWhole(items: WritesItself, selection: SelectionPlan): boolean {
  const mark = output.at;
  output.plain('[');
  const done = items.writeItems(selection);
  if (done) output.plain(']');
  else output.rewind(mark);
  return done;
}

/** The same as text. */
function writeList(values: Iterable<unknown>, complete: CompleteAt): unknown {
  const mark = output.at;
  let holes: Hole[] | null = null;
  let count = 0;
  output.plain('[');
  try {
    for (const value of values) {
      if (count > 0) output.plain(',');
      holes = placed(complete(value, count), holes);
      count += 1;
    }
  } catch (error) {
    return loseText(error, mark, holes);
  }
  output.plain(']');
  return output.end(mark, holes);
}

function completeItem(
  run: Run,
  plan: FieldPlan,
  complete: Complete,
  nullable: boolean,
  value: unknown,
  path: Path,
): unknown {
  try {
    const one = isPromise(value)
      ? whenLate(run, value, (late) => complete(run, plan, late, path))
      : complete(run, plan, value, path);
    return isPromise(one) ? one.catch((error) => fail(run, plan, path, nullable, error)) : one;
  } catch (error) {
    return fail(run, plan, path, nullable, error);
  }
}

const object =
  (type: GraphQLObjectType): Complete =>
  (run, plan, value, path) =>
    completeObject(type, run, plan, value, path);

function completeObject(type: GraphQLObjectType, run: Run, plan: FieldPlan, value: unknown, path: Path): unknown {
  if (!type.isTypeOf) return runObject(run, plan.selectionOf(type), value, path);
  const check = (belongs: unknown) => {
    if (belongs) return runObject(run, plan.selectionOf(type), value, path);
    throw new GraphQLError(`Expected value of type "${type.name}"`);
  };
  const belongs = type.isTypeOf(value, run.context, infoOf(run, plan, path));
  return isPromise(belongs) ? whenLate(run, belongs, check) : check(belongs);
}

function abstract(type: GraphQLAbstractType): Complete {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  return (run, plan, value, path) => {
    const found = resolveType(value, run.context, infoOf(run, plan, path), type);
    const enter = (name: unknown) => {
      const concrete = typeof name === 'string' ? run.schema.getType(name) : undefined;
      if (!concrete)
        throw new GraphQLError(
          `Abstract type "${type.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
        );
      if (!isObjectType(concrete) || !run.schema.isSubType(type, concrete))
        throw new GraphQLError(`"${concrete.name}" is not a possible type for "${type.name}".`);
      return completeObject(concrete, run, plan, value, path);
    };
    return isPromise(found) ? whenLate(run, found, enter) : enter(found);
  };
}
