import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { publicMessage } from './errors.ts';

/** A failure the caller can do something about, as data. */
export interface UserError {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
}

export const UserErrorType = builder.objectRef<UserError>('UserError').implement({
  description: 'Why a mutation did not do what was asked.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'One of the codes of docs/errors.md, such as COLLECTOR_UNKNOWN.' }),
    message: t.exposeString('message', { description: 'Names the thing, the rule and the way out.' }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description: 'The input field it is about, such as ["input", "name"]; null when it is about none.',
      resolve: ({ path }) => path && [...path],
    }),
  }),
});

/** Input fields that a code is about. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  COLLECTOR_UNKNOWN: ['input', 'name'],
  EXCHANGE_UNKNOWN: ['input', 'exchange'],
  COLLECTOR_EXISTS: ['input', 'symbol'],
  SYMBOL_UNKNOWN: ['input', 'symbol'],
  BACKFILL_UNKNOWN: ['input', 'id'],
};

/** Does `work`; a failure with a public code comes back as data, anything else is thrown on. */
export async function settle(work: () => Promise<unknown>): Promise<readonly UserError[]> {
  try {
    await work();
    return [];
  } catch (error) {
    const message = publicMessage(error);
    if (!(error instanceof AppError) || message === null) throw error;
    return [{ code: error.code, message, path: PATHS[error.code] ?? null }];
  }
}
