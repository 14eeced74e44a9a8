import { AppError } from '../runtime/errors.ts';
import { CommandLineExit } from './command-line.ts';
import { ConfigError } from './problems.ts';

/** How the process ends when its configuration keeps it from starting; null for any other error. Print `text` to standard error unless `code` is 0. */
export function configExit(error: unknown): { readonly code: number; readonly text: string } | null {
  if (error instanceof CommandLineExit) return { code: error.exitCode, text: error.message };
  if (error instanceof ConfigError) return { code: 78, text: error.message };
  // Found only by using it: a directory that cannot be written, a name the database has already.
  if (error instanceof AppError && error.code === 'CONFIG_INVALID')
    return { code: 78, text: `The configuration cannot be used; nothing was started:\n  ${error.message}` };
  return null;
}
