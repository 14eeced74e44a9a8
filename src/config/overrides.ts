import { messageOf } from '../runtime/errors.ts';
import type { Flags } from './command-line.ts';
import { isRecord, pathText } from './problems.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting of the file that a flag or a variable replaces. */
interface Override {
  readonly path: readonly [string, string];
  readonly flag?: { readonly name: string; readonly key: keyof Flags };
  readonly variable: string;
  /** A text of the command line or the environment as the file would say it. */
  readonly read: (text: string) => unknown;
}

const asText = (text: string) => text;
const asNumber = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : text);
const asWords = (text: string) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const OVERRIDES: readonly Override[] = [
  { path: ['server', 'host'], flag: { name: '--host', key: 'host' }, variable: 'HOST', read: asText },
  { path: ['server', 'port'], flag: { name: '--port', key: 'port' }, variable: 'PORT', read: asNumber },
  { path: ['server', 'allowed_origins'], variable: 'ALLOWED_ORIGINS', read: asWords },
  {
    path: ['database', 'url'],
    flag: { name: '--database-url', key: 'databaseUrl' },
    variable: 'DATABASE_URL',
    read: asText,
  },
  { path: ['backup', 'directory'], variable: 'BACKUP_DIRECTORY', read: asText },
  { path: ['backup', 'recipients'], variable: 'BACKUP_RECIPIENTS', read: asWords },
  { path: ['logging', 'level'], variable: 'LOG_LEVEL', read: (text) => text.toUpperCase() },
];

/** Puts flags and variables over what the file says; `sources` names, by path, where a replaced value came from. */
export function withOverrides(
  file: unknown,
  flags: Flags,
  variables: Variables,
): { readonly merged: unknown; readonly sources: ReadonlyMap<string, string> } {
  const sources = new Map<string, string>();
  if (!isRecord(file) || Array.isArray(file)) return { merged: file, sources };
  const merged: Record<string, unknown> = structuredClone(file);
  for (const { path, flag, variable, read } of OVERRIDES) {
    const given = flag && flags[flag.key];
    const value = given ?? variables.read(variable);
    if (value === undefined) continue;
    const [group, key] = path;
    const settings = merged[group] === undefined ? {} : merged[group];
    if (!isRecord(settings)) continue; // the schema will say what is wrong with it
    merged[group] = { ...settings, [key]: read(value) };
    sources.set(pathText(path), given === undefined || !flag ? variable : flag.name);
  }
  return { merged, sources };
}

/** Environment variables; an empty one counts as absent. Those that may be secret can also come from the file NAME_FILE names. */
export class Variables {
  readonly #env: Environment;
  readonly #readFile: (path: string) => string;
  readonly problems: string[] = [];

  constructor(env: Environment, readFile: (path: string) => string) {
    this.#env = env;
    this.#readFile = readFile;
  }

  read(name: string): string | undefined {
    return MAY_BE_SECRET.test(name) ? this.#readSecret(name) : this.#env[name] || undefined;
  }

  #readSecret(name: string): string | undefined {
    const [value, path] = [this.#env[name] || undefined, this.#env[`${name}_FILE`] || undefined];
    if (value !== undefined && path !== undefined)
      this.problems.push(`${name} and ${name}_FILE: are both set; unset one of them`);
    if (value !== undefined || path === undefined) return value;
    try {
      return this.#readFile(path).trim() || undefined;
    } catch (error) {
      this.problems.push(
        `${name}_FILE: cannot be read (${messageOf(error)}); give the path of a file that holds only the value`,
      );
      return undefined;
    }
  }
}

const MAY_BE_SECRET = /^(DATABASE_URL|BACKUP_PASSPHRASE|BACKUP_IDENTITY|\w+_API_(KEY|SECRET|PASSPHRASE))$/;
