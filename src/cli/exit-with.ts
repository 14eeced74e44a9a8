import { configExit } from '../config/exit.ts';
import { AppError } from '../runtime/errors.ts';

/** Ends the process over an error that kept a command from starting: 0 after --help, 2 usage, 78 configuration, 1 anything else. */
export function exitWith(error: unknown): never {
  const exit = configExit(error);
  if (exit?.code === 0) console.log(exit.text);
  else if (exit) console.error(exit.text);
  else if (error instanceof AppError) console.error(`${error.code}: ${error.message}`);
  else throw error;
  process.exit(exit?.code ?? 1);
}
