import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import type { GraphQLContext } from '../graphql/context.ts';
import type { Pipeline } from './yoga.ts';

export type Result = ExecutionResult | AsyncIterable<ExecutionResult>;

/** What a client asks. */
export interface Asked {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** An operation that may run. */
export interface Prepared {
  readonly isSubscription: boolean;
  readonly args: ExecutionArgs & { readonly contextValue: { takeResults?: GraphQLContext['takeResults'] } };
  run(args: ExecutionArgs): Result | Promise<Result>;
}

/**
 * Parses and validates without a fetch request; what is wrong with a document that can be read comes back as errors. The context has the
 * services and the principal.
 * @throws what the document cannot be read for, or is not taken for.
 */
export async function prepare(
  { query, operationName, variables }: Asked,
  pipeline: Pipeline,
  context: Record<string, unknown>,
): Promise<Prepared | { readonly errors: readonly GraphQLError[] }> {
  const { schema, execute, subscribe, contextFactory, parse, validate } = pipeline.getEnveloped(context);
  const document = parse(query);
  const errors: readonly GraphQLError[] = validate(schema, document);
  if (errors.length > 0) return { errors };
  const operation = getOperationAST(document, operationName);
  if (!operation) return { errors: [unresolved()] };
  const isSubscription = operation.operation === OperationTypeNode.SUBSCRIPTION;
  return {
    isSubscription,
    args: { schema, document, operationName, variableValues: variables, contextValue: await contextFactory() },
    run: isSubscription ? subscribe : execute,
  };
}

/** As over HTTP. */
const unresolved = () =>
  new GraphQLError('Could not determine what operation to execute.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });
