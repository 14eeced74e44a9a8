import { GraphQLError } from 'graphql';

/** Whether a document was not parsed because it has more tokens than `maxTokens` allowed; the parser says so in words alone. */
export const isTooManyTokens = (error: unknown, tokens: number): boolean =>
  error instanceof GraphQLError && error.message.includes(`more that ${tokens} tokens`);
