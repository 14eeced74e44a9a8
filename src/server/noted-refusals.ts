import { type ExecutionArgs, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { CheckOperation } from '../graphql/limits/operation-limits.ts';
import { LIMIT_EXCEEDED, ruleOf } from '../graphql/limits/refusal.ts';
import type { Asker, RefusedMutations } from './refused-mutations.ts';

/** What every door puts into the context. */
interface Context extends Asker {
  readonly params?: { readonly operationName?: unknown; readonly variables?: unknown };
}

/** Has mutations of documents that break a limit leave an entry. */
export const noted = (mutations: RefusedMutations): Plugin => ({
  onParse:
    ({ context, params: { source } }) =>
    ({ result }) => {
      if (!(result instanceof GraphQLError) || ruleOf(result) === null) return;
      const { principal, address, params } = context as unknown as Context;
      mutations.noteTooLong(String(source), params?.operationName, { principal, address }, LIMIT_EXCEEDED);
    },
  onValidate:
    ({ context, params: { documentAST: document } }) =>
    ({ result }) => {
      if (!(result as readonly GraphQLError[]).some(({ extensions }) => extensions.code === LIMIT_EXCEEDED)) return;
      const { principal, address, params: { operationName, variables } = {} } = context as unknown as Context;
      mutations.note({ document, operationName, variables, principal, address }, LIMIT_EXCEEDED);
    },
});

/** The check of one operation, after which a mutation that is refused has left an entry. */
export const noting =
  (check: CheckOperation, mutations: RefusedMutations, args: ExecutionArgs): CheckOperation =>
  (...asked) => {
    const broken = check(...asked);
    if (broken) {
      const { document, operationName, variableValues: variables } = args;
      const { principal, address } = args.contextValue as Asker;
      mutations.note({ document, operationName, variables, principal, address }, String(broken.extensions.code));
    }
    return broken;
  };
