import type { GraphQLError } from 'graphql';

/** An error as a client gets it: `http` and `unexpected` steer the HTTP status and are no client's business. */
export function withoutInternals(error: GraphQLError) {
  const { http: _, unexpected: __, ...extensions } = error.extensions ?? {};
  return { ...error.toJSON(), extensions };
}
