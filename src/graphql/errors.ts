import { GraphQLError } from 'graphql';
import { AppError, ERRORS } from '../runtime/errors.ts';
import { newIncident } from '../runtime/incident.ts';
import type { Log } from '../runtime/log.ts';

export type ExposeError = (thrown: unknown) => GraphQLError;

/** Errors of GraphQL itself: about the request, never about what is inside. They carry no path, as no field was reached. */
const isAboutRequest = (error: GraphQLError): boolean => error.path === undefined && error.originalError === undefined;

/** graphql-js names the caller's fault in a field only by this. */
const isAboutArgument = (error: GraphQLError): boolean => error.message.startsWith('Argument "');

/** What a client may read of an error; null for nothing. Of a database in trouble the driver tells addresses, paths and users. */
export function publicMessage(cause: unknown): string | null {
  if (!(cause instanceof AppError) || !ERRORS[cause.code].public) return null;
  return cause.code === 'DATABASE_UNAVAILABLE' ? ERRORS[cause.code].hint : cause.message;
}

/** Reading and validating a document recurse as deep as it nests. */
const isTooDeep = (cause: unknown): boolean => cause instanceof RangeError && cause.message.includes('call stack');

/**
 * The one door from inside errors to clients, for every transport. Public codes pass with code and message; the rest is logged
 * and becomes "Unexpected error." with an id that is in the log, too. Passing twice changes nothing.
 */
export const exposeErrors =
  (log: Log): ExposeError =>
  (thrown) => {
    const cause = rootCause(thrown);
    if (thrown instanceof GraphQLError && cause instanceof GraphQLError && thrown.extensions.code)
      return inOurWords(thrown);
    const at = placeOf(thrown);
    const message = publicMessage(cause);
    if (cause instanceof AppError && message !== null)
      return new GraphQLError(message, { ...at, extensions: { code: cause.code } });
    if (cause instanceof GraphQLError && (isAboutRequest(cause) || isAboutArgument(cause))) {
      const code = cause.message.startsWith('Syntax Error') ? 'GRAPHQL_PARSE_FAILED' : 'BAD_USER_INPUT';
      return new GraphQLError((thrown as GraphQLError).message, { ...at, extensions: { ...cause.extensions, code } });
    }
    if (isTooDeep(cause) && at.path == null)
      return new GraphQLError('The request is nested too deeply to be read', {
        extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
      });
    const correlationId = newIncident();
    log.error('A request failed inside', { correlationId, error: cause, path: at.path?.join('.') });
    return new GraphQLError('Unexpected error.', {
      ...at,
      extensions: { code: 'INTERNAL_SERVER_ERROR', correlationId, unexpected: true },
    });
  };

/** Yoga calls a wrong method a bad request. */
function inOurWords(error: GraphQLError): GraphQLError {
  const { http } = error.extensions as { readonly http?: { readonly status?: number } };
  if (http?.status !== 405) return error;
  return new GraphQLError(error.message, {
    ...placeOf(error),
    extensions: { ...error.extensions, code: 'METHOD_NOT_ALLOWED' },
  });
}

/** Where in the request it happened: shown to the client as `locations` and `path`. */
function placeOf(thrown: unknown) {
  if (!(thrown instanceof GraphQLError)) return {};
  const { nodes = null, source = null, positions = null, path = null } = thrown;
  return { nodes, source, positions, path };
}

function rootCause(thrown: unknown): unknown {
  let cause = thrown;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}
