import { AppError } from './errors.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known here',
  EAI_AGAIN: 'names cannot be looked up now',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'there was no answer in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
};

/**
 * In words and with the code of Node's sockets, such as "nobody listens there (ECONNREFUSED)", why somebody was not reached; null without
 * a code. Whoever asks the API reads it, and what Node itself says names addresses; what we said ourselves stays as it is.
 */
export function networkTroubleOf(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AppError) return cause.message;
    if (!('code' in cause) || typeof cause.code !== 'string') continue;
    return Object.hasOwn(WORDS, cause.code) ? `${WORDS[cause.code]} (${cause.code})` : cause.code;
  }
  return null;
}
