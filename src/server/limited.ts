import { type DocumentNode, GraphQLError, type ParseOptions, parse, type Source, validate } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { checkDocument } from '../graphql/limits/document-limits.ts';
import { refused, ruleOf } from '../graphql/limits/refusal.ts';
import { isTooManyTokens } from '../graphql/limits/too-many-tokens.ts';
import type { Limits } from '../runtime/limits.ts';
import type { Refusals } from '../runtime/refusals.ts';

/** What is wrong with a document is told up to here: a short one can be wrong in many ways. */
const MAX_ERRORS = 5;

/** Refuses documents that are too much, before they are parsed whole and before they are validated; and counts what it refuses. */
export const limited = (limits: Limits, refusals: Refusals): Plugin => {
  const count = (errors: unknown): void => {
    for (const error of Array.isArray(errors) ? errors : [errors]) {
      const rule = error instanceof GraphQLError ? ruleOf(error) : null;
      if (rule !== null) refusals.count(rule);
    }
  };
  return {
    onParse: ({ setParseFn }) => {
      setParseFn((source: string | Source, options?: ParseOptions) => parseWithin(limits, source, options));
      return ({ result }) => count(result);
    },
    onValidate: ({ setValidationFn }) => {
      setValidationFn((schema, document, rules) => {
        const broken = checkDocument(document, limits);
        return broken ? [broken] : validate(schema, document, rules, { maxErrors: MAX_ERRORS });
      });
      return ({ result }) => count(result);
    },
  };
};

/** @throws {GraphQLError} for what is no document, and for one that is too long. */
function parseWithin({ tokens }: Limits, source: string | Source, options?: ParseOptions): DocumentNode {
  try {
    return parse(source, { ...options, maxTokens: tokens });
  } catch (error) {
    if (!isTooManyTokens(error, tokens)) throw error;
    throw refused({
      ...{ rule: 'tokens', value: tokens + 1, limit: tokens, what: `The document has more than ${tokens} tokens` },
      wayOut: 'ask for less, or in several operations',
    });
  }
}
