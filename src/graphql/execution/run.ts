import {
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  locatedError,
  type OperationDefinitionNode,
} from 'graphql';
import type { FieldPlan, SelectionPlan } from './plan.ts';
import { asPiece, type Hole, lose, loseText, output, placed } from './text-output.ts';

/** One execution of one operation. */
export interface Run {
  readonly schema: GraphQLSchema;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  readonly operation: OperationDefinitionNode;
  readonly rootValue: unknown;
  readonly context: unknown;
  readonly variables: { [name: string]: unknown };
  readonly errors: GraphQLError[];
  /** Everything is written as JSON text when it is completed (text-output.ts), and no objects are made of it; null stays null. */
  readonly asText: boolean;
}

/** From a value up to the root; undefined is the root. */
export type Path = GraphQLResolveInfo['path'] | undefined;

export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/** The answer for one object: its fields side by side. */
export function runObject(run: Run, selection: SelectionPlan, source: unknown, path: Path): unknown {
  if (run.asText) return writeObject(run, selection, source, path);
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
    return lose(error, waiting);
  }
  return waiting ? Promise.all(waiting).then(() => answer) : answer;
}

/** The same as text. */
function writeObject(run: Run, { fields }: SelectionPlan, source: unknown, path: Path): unknown {
  const mark = output.at;
  let holes: Hole[] | null = null;
  try {
    for (const plan of fields) {
      output.plain(plan.textKey);
      holes = placed(runField(run, plan, source, path), holes);
    }
  } catch (error) {
    return loseText(error, mark, holes);
  }
  output.plain(fields.length === 0 ? '{}' : '}');
  return output.end(mark, holes);
}

/** What comes of a value that is late; text of its own, as others write meanwhile. */
export const whenLate = <T>(run: Run, value: Promise<T>, complete: (late: T) => unknown): Promise<unknown> =>
  value.then(run.asText ? (late) => asPiece(() => complete(late)) : complete);

/** The answer for the root of a mutation: one field after another. */
export async function runSerially(run: Run, selection: SelectionPlan, source: unknown): Promise<unknown> {
  const answer: Record<string, unknown> = selection.bare ? Object.create(null) : {};
  for (const plan of selection.fields) answer[plan.key] = await runField(run, plan, source, undefined);
  return answer;
}

function runField(run: Run, plan: FieldPlan, source: unknown, parent: Path): unknown {
  try {
    const args = plan.argumentsOf(run.variables);
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
    ? whenLate(run, value, (late) => plan.complete(run, plan, late, path))
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
