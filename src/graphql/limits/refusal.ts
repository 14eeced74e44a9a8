import { GraphQLError } from 'graphql';

export interface Refusal {
  /** The setting under `limits`, or one that cannot be set: introspection_depth, mutation_once. */
  readonly rule: string;
  readonly value: number;
  readonly limit: number;
  /** What has too much of it, and the way out: "… has 16 aliases", "ask in several operations". */
  readonly what: string;
  readonly wayOut: string;
}

export const LIMIT_EXCEEDED = 'LIMIT_EXCEEDED';

/** As a client gets it. */
export const refused = ({ rule, value, limit, what, wayOut }: Refusal): GraphQLError =>
  new GraphQLError(`${what}; at most ${limit} is taken: ${wayOut}`, {
    extensions: { code: LIMIT_EXCEEDED, rule, value, limit },
  });

/** The rule an error was refused by; null for any other. */
export function ruleOf({ extensions }: GraphQLError): string | null {
  return extensions.code === LIMIT_EXCEEDED ? String(extensions.rule) : null;
}
