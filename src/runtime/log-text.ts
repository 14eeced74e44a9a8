import { Secret } from './secret.ts';

const HIDDEN = '[redacted]';
const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;
/** Of one event, all fields together. */
const MAX_CHARACTERS = 16_000;

/** Names every event has already; a field of the same name gets a _ behind it. */
const TAKEN: ReadonlySet<string> = new Set(['level', 'time', 'component', 'msg']);

/** Fields whose value is hidden whatever it is. */
const SENSITIVE_KEY =
  /(password|passwd|passphrase|secret|authorization|cookie|apikey|privatekey|credentials?|token|signature|^sign)$/i;

/** `name:password@` of a URL. */
const USER_INFO = /(\b[a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#@]{1,512}@/gi;

/** What a terminal or a line reader takes for more than text: control characters, line separators, marks that reorder text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line that harms no terminal. The escapes are those of JSON strings, so JSON text stays the same text. */
export const escapeControls = (text: string): string =>
  text.replace(
    CONTROL,
    (character) => ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export interface TextLimits {
  /** Characters a message or field value may have. */
  readonly characters: number;
  /** Whether errors bring their stack. */
  readonly stacks: boolean;
}

/** Makes anything fit for a log: of bounded length, without the given secrets. */
export class LogText {
  readonly #secrets: readonly string[];
  readonly #longest: number;

  constructor(secrets: readonly Secret[]) {
    // The longest first: a password inside a URL must not keep the URL from being recognised.
    this.#secrets = secrets
      .map((secret) => secret.reveal())
      .filter((value) => value !== '')
      .sort((a, b) => b.length - a.length);
    this.#longest = this.#secrets[0]?.length ?? 0;
  }

  message(text: string, characters: number): string {
    const cut = text.length > characters + this.#longest;
    let clean = cut ? text.slice(0, characters + this.#longest) : text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, HIDDEN);
    if (cut) clean = clean.slice(0, clean.length - this.#longest); // may begin a secret whose end was cut off
    clean = clean.replace(USER_INFO, `$1${HIDDEN}@`);
    return text.length <= characters ? clean : `${clean.slice(0, characters)}… (${text.length} characters)`;
  }

  /** Plain JSON values; what cannot be read is named, never thrown. */
  fields(fields: Readonly<Record<string, unknown>>, limits: TextLimits): Record<string, unknown> {
    const budget = { left: MAX_CHARACTERS };
    const value = this.#value(fields, limits, budget, 0);
    return value as Record<string, unknown>;
  }

  #value(value: unknown, limits: TextLimits, budget: { left: number }, depth: number): unknown {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'undefined') return undefined;
    if (typeof value === 'string' || typeof value === 'bigint') return this.#text(String(value), limits, budget);
    if (typeof value !== 'object') return `[${typeof value}]`;
    try {
      if (value instanceof Secret) return HIDDEN;
      if (value instanceof Error) return this.#text(describeError(value, limits.stacks), limits, budget);
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
      if (value instanceof URL) return this.#text(value.href, limits, budget);
      if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
      if (depth >= MAX_DEPTH || budget.left <= 0) return '[…]';
      return Array.isArray(value)
        ? this.#list(value, limits, budget, depth)
        : this.#record(value, limits, budget, depth);
    } catch {
      return '[unreadable]';
    }
  }

  #text(text: string, { characters }: TextLimits, budget: { left: number }): string {
    const clean = this.message(text, Math.max(0, Math.min(characters, budget.left)));
    budget.left -= clean.length;
    return clean;
  }

  #list(list: readonly unknown[], limits: TextLimits, budget: { left: number }, depth: number): unknown[] {
    const shown = list.slice(0, MAX_ENTRIES).map((item) => this.#value(item, limits, budget, depth + 1));
    return list.length > MAX_ENTRIES ? [...shown, `… (${list.length} entries)`] : shown;
  }

  #record(record: object, limits: TextLimits, budget: { left: number }, depth: number): Record<string, unknown> {
    const clean: Record<string, unknown> = {};
    const keys = Object.keys(record);
    for (const key of keys.slice(0, MAX_ENTRIES)) {
      const name = `${this.message(key, 100)}${depth === 0 && TAKEN.has(key) ? '_' : ''}`;
      const hidden = SENSITIVE_KEY.test(key.replace(/[-_\s]/g, ''));
      clean[name] = hidden ? HIDDEN : this.#value((record as Record<string, unknown>)[key], limits, budget, depth + 1);
    }
    if (keys.length > MAX_ENTRIES) clean['…'] = `${keys.length} entries`;
    return clean;
  }
}

/** Name, code, message and up to three causes. */
function describeError(error: Error, withStack: boolean): string {
  if (withStack && error.stack !== undefined) return error.stack;
  const parts: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && parts.length < 4; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? ` ${cause.code}` : '';
    parts.push(`${cause.name}${code}: ${cause.message}`);
  }
  return parts.join(' <- ');
}
