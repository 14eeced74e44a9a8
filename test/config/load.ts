import { type Config, loadConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/problems.ts';

export interface Given {
  /** The configuration file: an object, or its text. */
  readonly file?: unknown;
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Other files, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Loads from memory; `file` is what --config names. */
export function load({ file, argv = [], env = {}, files = {} }: Given): Config {
  const all: Record<string, string> = { ...files };
  if (file !== undefined) all['config.json'] = typeof file === 'string' ? file : JSON.stringify(file);
  return loadConfig({
    argv: file === undefined ? argv : ['--config', 'config.json', ...argv],
    env,
    readFile: (path) => {
      const text = all[path];
      if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return text;
    },
  });
}

/** The error a configuration is refused with, or null when it is taken. */
export function refusalOf(given: Given): ConfigError | null {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return null;
}
