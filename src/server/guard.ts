import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { Role } from '../access/role.ts';
import { refusal } from '../graphql/access.ts';
import { AppError } from '../runtime/errors.ts';
import { addressOf } from './address.ts';
import type { RefusedMutations } from './refused-mutations.ts';
import { whenClosed } from './when-closed.ts';

/**
 * Whoever sent a request, if he may do at least this. What is answered is cut when he may no longer.
 * @throws {AppError} UNAUTHENTICATED, FORBIDDEN, TOO_MANY_FAILURES, ACCESS_UNAVAILABLE.
 */
export async function admit(
  access: Access,
  role: Role,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Principal> {
  const principal = await access.identify(request.headers.authorization ?? null, addressOf(request));
  if (!principal.roles.has(role)) {
    access.count(principal.kind === 'anonymous' ? 'unauthenticated' : 'forbidden');
    throw principal.kind === 'anonymous'
      ? new AppError('UNAUTHENTICATED', 'This needs a token; send `Authorization: Bearer <token>`')
      : new AppError('FORBIDDEN', `This needs the role ${role}, which your token does not have`);
  }
  const held = access.hold(principal, () => response.destroy());
  whenClosed(response, () => held[Symbol.dispose]());
  return principal;
}

/** Who asks, and from where; every door puts it into the context. */
const callerOf = (context: unknown) => context as { readonly principal: Principal; readonly address: string };
const principalOf = (context: unknown): Principal => callerOf(context).principal;

/** Refuses operations their senders may not do, before they are executed, and tells the anonymous nothing of the schema. */
export const guarded = (access: Access, mutations: RefusedMutations): Plugin => {
  const check = (args: {
    readonly schema: Parameters<typeof refusal>[0];
    readonly document: Parameters<typeof refusal>[1];
    readonly operationName?: unknown;
    readonly variableValues?: unknown;
    readonly contextValue?: unknown;
  }): GraphQLError | null => {
    const name = typeof args.operationName === 'string' ? args.operationName : null;
    const refused = refusal(args.schema, args.document, name, principalOf(args.contextValue));
    if (refused === null) return null;
    access.count(refused.extensions.code === 'FORBIDDEN' ? 'forbidden' : 'unauthenticated');
    const { document, operationName, variableValues: variables } = args;
    const { principal, address } = callerOf(args.contextValue);
    mutations.note({ document, operationName, variables, principal, address });
    return refused;
  };
  return {
    onValidate:
      ({ context }) =>
      ({ result, setResult }) => {
        if (principalOf(context).kind === 'anonymous' && result.length > 0)
          setResult((result as GraphQLError[]).map(withoutSuggestion));
      },
    onExecute: ({ args, setResultAndStopExecution }) => {
      const refused = check(args);
      if (refused) return setResultAndStopExecution({ errors: [refused] });
      if (principalOf(args.contextValue).kind !== 'anonymous') return;
      return { onExecuteDone: ({ result, setResult }) => setResult(withoutSuggestions(result) as typeof result) };
    },
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const refused = check(args);
      if (refused) return setResultAndStopExecution({ errors: [refused] });
      if (principalOf(args.contextValue).kind !== 'anonymous') return;
      return { onSubscribeResult: ({ result, setResult }) => setResult(withoutSuggestions(result) as typeof result) };
    },
  };
};

function withoutSuggestions(result: unknown): unknown {
  if (isAsyncIterable(result)) return result;
  const { errors } = result as ExecutionResult;
  return errors ? { ...(result as ExecutionResult), errors: errors.map(withoutSuggestion) } : result;
}

function withoutSuggestion(error: GraphQLError): GraphQLError {
  const message = error.message.replace(/ Did you mean [^?]*\?/g, '');
  if (message === error.message) return error;
  const { nodes = null, source = null, positions = null, path = null, originalError, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions });
}
