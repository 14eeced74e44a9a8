import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  visit,
} from 'graphql';
import type { CheckOperation } from '../limits/operation-limits.ts';
import { rememberSource } from '../resume.ts';
import { LiveResults } from './live-results.ts';
import { planSelection, type SelectionPlan } from './plan.ts';
import { isPromise, type Run, runObject, runSerially } from './run.ts';
import { joinSharedAnswers } from './shared-answers.ts';
import { asPiece, type Piece } from './text-output.ts';

/** One operation of one document, ready to run any number of times. */
interface Operation {
  readonly node: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  readonly rootPlan: (variables: Readonly<Record<string, unknown>>) => SelectionPlan;
}

/** Plans a document may keep: one for each combination of its @skip and @include variables. */
const MAX_PLANS = 16;

/**
 * Executes a validated operation as graphql-js does, several times faster on lists: what can be known from the document alone is
 * worked out once and kept as long as the document. docs/decisions/graphql-execution.md says why. `check` may refuse it first.
 */
export function execute(args: ExecutionArgs, check?: CheckOperation): ExecutionResult | Promise<ExecutionResult> {
  const run = prepare(args, check);
  return 'plan' in run ? answer(run) : run;
}

const [DATA, END] = [Buffer.from('{"data":'), Buffer.from('}')];

/** Data that is only known as JSON text; whoever needs it as an object gets one. */
class TextData {
  readonly #text: Piece;

  constructor(text: Piece) {
    this.#text = text;
  }

  toJSON(): unknown {
    return parsed(this.#text);
  }
}

const parsed = (text: Piece): Record<string, unknown> => JSON.parse(Buffer.concat(text).toString());

/** `stringify` is what Yoga calls for the body of an answer; bytes are as good to it as text. */
interface TextResult extends ExecutionResult {
  readonly stringify?: () => Buffer;
}

/** The same for an answer that is only sent: the data of a query is written as text at once, where nothing fails. */
export function executeAsText(args: ExecutionArgs, check?: CheckOperation): TextResult | Promise<TextResult> {
  const run = prepare(args, check);
  if (!('plan' in run)) return run;
  if (run.operation.operation !== OperationTypeNode.QUERY) return answer(run);
  const result = answer({ ...run, asText: true });
  return isPromise(result) ? result.then(toTextResult) : toTextResult(result);
}

function toTextResult({ data, errors }: ExecutionResult): TextResult {
  const text = data as unknown as Piece | null;
  if (errors || text === null) return { ...(errors && { errors }), data: text && parsed(text) };
  return {
    data: new TextData(text) as unknown as Record<string, unknown>,
    stringify: () => Buffer.concat([DATA, ...text, END]),
  };
}

/** Subscribes; every event becomes one result, which those who subscribe to the same share where the event is common. */
export async function subscribe(
  args: ExecutionArgs,
  check?: CheckOperation,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const run = prepare(args, check);
  if (!('plan' in run)) return run;
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const answers = joinSharedAnswers(args, (event) => {
    const result = answer({ ...run, rootValue: event, errors: [] });
    return isPromise(result) ? result.then((late) => rememberSource(late, event)) : rememberSource(result, event);
  });
  const results = new LiveResults(source[Symbol.asyncIterator](), answers);
  (args.contextValue as { readonly takeResults?: TakeResults } | undefined)?.takeResults?.(results);
  return results;
}

/** Is told of the results before anything wraps them. A transport that serves thousands sets it in the context. */
export type TakeResults = (results: LiveResults) => void;

type Prepared = Run & { readonly plan: SelectionPlan };

function prepare(
  { schema, document, operationName, rootValue, contextValue, variableValues }: ExecutionArgs,
  check?: CheckOperation,
): Prepared | ExecutionResult {
  const operation = operationOf(schema, document, operationName ?? null);
  if (operation instanceof GraphQLError) return { errors: [operation] };
  const { node, fragments } = operation;
  const variables = getVariableValues(schema, node.variableDefinitions ?? [], variableValues ?? {}, { maxErrors: 20 });
  if (variables.errors) return { errors: variables.errors };
  const refused = check?.({ schema, ...operation }, variables.coerced);
  if (refused) return { errors: [refused] };
  return {
    ...{
      schema,
      fragments,
      operation: node,
      rootValue,
      context: contextValue,
      variables: variables.coerced,
      errors: [],
      asText: false,
    },
    plan: operation.rootPlan(variables.coerced),
  };
}

function answer(run: Prepared): ExecutionResult | Promise<ExecutionResult> {
  const finish = (data: unknown): ExecutionResult =>
    run.errors.length > 0
      ? { errors: run.errors, data: data as Record<string, unknown> }
      : { data: data as Record<string, unknown> };
  const lose = (error: unknown): ExecutionResult => ({ errors: [...run.errors, error as GraphQLError], data: null });
  try {
    const data =
      run.operation.operation === 'mutation'
        ? runSerially(run, run.plan, run.rootValue)
        : run.asText
          ? asPiece(() => runObject(run, run.plan, run.rootValue, undefined))
          : runObject(run, run.plan, run.rootValue, undefined);
    return isPromise(data) ? data.then(finish, lose) : finish(data);
  } catch (error) {
    return lose(error);
  }
}

const operations = new WeakMap<DocumentNode, Map<string | null, Operation | GraphQLError>>();

function operationOf(schema: GraphQLSchema, document: DocumentNode, name: string | null): Operation | GraphQLError {
  let known = operations.get(document);
  if (!known) {
    known = new Map();
    operations.set(document, known);
  }
  const found = known.get(name);
  if (found) return found;
  const operation = readOperation(schema, document, name);
  // A name the document does not have is the client's text and unbounded: never kept.
  if (!(operation instanceof GraphQLError)) known.set(name, operation);
  return operation;
}

function readOperation(schema: GraphQLSchema, document: DocumentNode, name: string | null): Operation | GraphQLError {
  const all = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (name === null && all.length > 1)
    return new GraphQLError('Must provide operation name if query contains multiple operations.');
  const node = name === null ? all[0] : all.find((definition) => definition.name?.value === name);
  if (!node)
    return new GraphQLError(name === null ? 'Must provide an operation.' : `Unknown operation named "${name}".`);
  const type = schema.getRootType(node.operation);
  if (!type)
    return new GraphQLError(`Schema is not configured to execute ${node.operation} operation.`, { nodes: node });
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  const conditions = conditionVariables(document);
  const plans = new Map<string, SelectionPlan>();
  return {
    node,
    fragments,
    rootPlan: (variables) => {
      const key = conditions.map((variable) => (variables[variable] ? '1' : '0')).join('');
      const kept = plans.get(key);
      if (kept) return kept;
      const plan = planSelection({ schema, fragments, variables }, type, [node.selectionSet]);
      if (plans.size < MAX_PLANS) plans.set(key, plan);
      return plan;
    },
  };
}

/** The variables that decide what is skipped and included. */
function conditionVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ name, arguments: args }) => {
      if (name.value !== 'skip' && name.value !== 'include') return;
      for (const { value } of args ?? []) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
