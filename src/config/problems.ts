import { z } from 'zod';
import { AppError } from '../runtime/errors.ts';

type Path = readonly PropertyKey[];

/** Everything wrong with a configuration at once, one sentence each: the path, the rule and the way out. Holds no secret. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      'CONFIG_INVALID',
      `The configuration has ${count}; nothing was started:\n${problems.map((one) => `  ${one}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** A path as people write it: `exchanges[0].trading_pairs[1].symbol`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${String(key)}`),
    '',
  );

/** The problems one issue of the schema stands for. `nameOf` says where a value came from: its path in the file, a flag or a variable. */
export function problemsOf(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  input: unknown,
  nameOf: (path: Path) => string,
): readonly string[] {
  const at = schemaAt(schema, issue.path);
  const name = nameOf(issue.path) || 'the configuration';
  if (issue.code === 'unrecognized_keys') {
    const known = at instanceof z.ZodObject ? Object.keys(at.shape) : [];
    return issue.keys.map((key) => `${nameOf([...issue.path, key])}: unknown key; ${suggest(key, known)}`);
  }
  const value = issue.path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), input);
  if (value === undefined) return [`${name}: is missing, ${issue.message}`];
  const wayOut =
    issue.code === 'invalid_value' && typeof value === 'string' ? closest(value, issue.values.map(String)) : null;
  const was = unwrap(at)?.meta()?.secret === true ? '' : shown(value);
  return [`${name}: ${issue.message}${was}${wayOut === null ? defaultHint(at) : `; did you mean ${wayOut}?`}`];
}

/** The schema of the value at a path, without what stands around it (defaults), except around the last. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let here: z.ZodType | undefined = schema;
  for (const key of path) {
    const inner = unwrap(here);
    if (inner instanceof z.ZodObject) here = (inner.shape as Record<PropertyKey, z.ZodType>)[key];
    else if (inner instanceof z.ZodArray) here = inner.element as z.ZodType;
    else return undefined;
  }
  return here instanceof z.ZodDefault ? here : unwrap(here);
}

/** A setting without its default, nullability and optionality. */
export function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  let here = schema;
  while (
    here instanceof z.ZodDefault ||
    here instanceof z.ZodPrefault ||
    here instanceof z.ZodOptional ||
    here instanceof z.ZodNullable
  )
    here = here.def.innerType as z.ZodType;
  return here;
}

function defaultHint(schema: z.ZodType | undefined): string {
  if (!(schema instanceof z.ZodDefault)) return '';
  return `; leave it out for the default, ${JSON.stringify(schema.def.defaultValue)}`;
}

/** The wrong value, unless it is long or may hold a password, as a URL with a user name does. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return ', was a list';
  if (isRecord(value)) return ', was an object';
  const text = JSON.stringify(value);
  return text.length > 80 || text.includes('@') ? '' : `, was ${text}`;
}

function suggest(key: string, known: readonly string[]): string {
  const near = closest(key, known);
  return near === null ? `known here are ${known.join(', ')}` : `did you mean ${near}?`;
}

/** The word a typing mistake away, or null. */
export function closest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** Insertions, deletions and replacements from one word to the other (Levenshtein); words are cut at 60 characters. */
function editDistance(from: string, to: string): number {
  const target = Array.from(to.slice(0, 60));
  let row = [0, ...target.map((_, index) => index + 1)];
  for (const [i, letter] of Array.from(from.slice(0, 60)).entries()) {
    const next = [i + 1];
    for (const [j, other] of target.entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}

export const isRecord = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === 'object' && value !== null;
