import {
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  locatedError,
  type OperationDefinitionNode,
} from 'graphql';
import type { FieldPlan, SelectionPlan } from './plan.ts';

/** One execution of one operation. */
export interface Run {
  readonly schema: GraphQLSchema;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  readonly operation: OperationDefinitionNode;
  readonly rootValue: unknown;
  readonly context: unknown;
  readonly variables: { [name: string]: unknown };
  readonly errors: GraphQLError[];
}

/** From a value up to the root; undefined is the root. */
export type Path = GraphQLResolveInfo['path'] | undefined;

export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

const NO_ARGUMENTS = Object.freeze({});

/** The answer for one object: its fields side by side. */
export function runObject(run: Run, selection: SelectionPlan, source: unknown, path: Path): unknown {
  const answer: Record<string, unknown> = selection.bare ? Object.create(null) : {};
  let waiting: Promise<unknown>[] | null = null;
  try {
    for (const plan of selection.fields) {
      const value = runField(run, plan, source, path);
      answer[plan.key] = value;
      if (!isPromise(value)) continue;
      waiting ??= [];
      waiting.push(
        value.then((late) => {
          answer[plan.key] = late;
        }),
      );
    }
  } catch (error) {
    // The object is lost already, but what still runs must neither be left unhandled nor outlive the answer.
    if (!waiting) throw error;
    return Promise.allSettled(waiting).then(() => {
      throw error;
    });
  }
  return waiting ? Promise.all(waiting).then(() => answer) : answer;
}

/** The answer for the root of a mutation: one field after another. */
export async function runSerially(run: Run, selection: SelectionPlan, source: unknown): Promise<unknown> {
  const answer: Record<string, unknown> = selection.bare ? Object.create(null) : {};
  for (const plan of selection.fields) answer[plan.key] = await runField(run, plan, source, undefined);
  return answer;
}

function runField(run: Run, plan: FieldPlan, source: unknown, parent: Path): unknown {
  try {
    const args = plan.hasArguments ? getArgumentValues(plan.field, plan.nodes[0], run.variables) : NO_ARGUMENTS;
    if (plan.needsInfo) return runNested(run, plan, source, args, pathOf(plan, parent));
    const value = plan.resolve(source, args, run.context, undefined as never);
    // Most fields by far: what is neither late nor nested needs no path.
    if (plan.isLeaf && !isPromise(value)) return plan.complete(run, plan, value, undefined);
    return finish(run, plan, value, pathOf(plan, parent));
  } catch (error) {
    return fail(run, plan, pathOf(plan, parent), plan.isNullable, error);
  }
}

const pathOf = (plan: FieldPlan, parent: Path): Path => ({
  prev: parent,
  key: plan.key,
  typename: plan.parentType.name,
});

function runNested(run: Run, plan: FieldPlan, source: unknown, args: { [name: string]: unknown }, path: Path): unknown {
  return finish(run, plan, plan.resolve(source, args, run.context, infoOf(run, plan, path)), path);
}

function finish(run: Run, plan: FieldPlan, value: unknown, path: Path): unknown {
  const completed = isPromise(value)
    ? value.then((late) => plan.complete(run, plan, late, path))
    : plan.complete(run, plan, value, path);
  return isPromise(completed) ? completed.catch((error) => fail(run, plan, path, plan.isNullable, error)) : completed;
}

/** Null in place of what failed, where null may stand; else the failure goes on to the nearest place where it may. */
export function fail(run: Run, plan: FieldPlan, path: Path, nullable: boolean, thrown: unknown): null {
  const error = locatedError(thrown, plan.nodes, keysOf(path));
  if (!nullable) throw error;
  run.errors.push(error);
  return null;
}

function keysOf(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at = path; at; at = at.prev) keys.unshift(at.key);
  return keys;
}

export const infoOf = (run: Run, plan: FieldPlan, path: Path): GraphQLResolveInfo => ({
  fieldName: plan.field.name,
  fieldNodes: plan.nodes,
  returnType: plan.field.type,
  parentType: plan.parentType,
  path: path as NonNullable<Path>,
  schema: run.schema,
  fragments: run.fragments,
  rootValue: run.rootValue,
  operation: run.operation,
  variableValues: run.variables,
});
