import { AppError } from '../runtime/errors.ts';

/** What no frame of any exchange comes near; deeper ones would overflow whoever walks them later. */
const MAX_DEPTH = 64;

/** Levels are counted before a text of this length is parsed: a million of them would take fifty bytes each. */
const LONG_TEXT = 65_536;

/** Digits from which an integer may lie beyond 2^53. */
const LONG = 16;

/**
 * JSON from a stranger. Integers beyond 2^53 arrive as their text, with every digit; a key `__proto__` is dropped.
 * @throws {AppError} FRAME_MALFORMED when the text is not JSON or nests deeper than 64.
 */
export function parseJson(text: string): unknown {
  if (text.length > LONG_TEXT && nestsDeep(text)) throw malformed(text, `nests deeper than ${MAX_DEPTH}`);
  const value = parse(text);
  if (text.length <= LONG_TEXT && mayNestDeep(text) && deeperThan(MAX_DEPTH, value))
    throw malformed(text, `nests deeper than ${MAX_DEPTH}`);
  return hasLongInteger(text) || mayNameProto(text) ? parse(text, keepExact) : value;
}

/** @throws {AppError} FRAME_MALFORMED also when the JSON is not an object. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (isObject(value)) return value;
  throw malformed(text, 'is not an object');
}

/** Null for what is not JSON: a failed REST answer is often a proxy's web page. */
export function tryJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

/** An object that is not an array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

function parse(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]); // the library type lacks the third argument
  } catch (cause) {
    throw malformed(text, 'is not JSON', { cause });
  }
}

const keepExact: Reviver = (key, value, { source }) => {
  if (key === '__proto__') return undefined;
  return typeof value === 'number' && !Number.isSafeInteger(value) && source && /^-?\d+$/.test(source) ? source : value;
};

/** A run of 16 digits covers a 16th character, and 8 more on one side of it; so very few places are looked at. */
function hasLongInteger(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text.charCodeAt(at))) continue;
    if (!isDigit(text.charCodeAt(at + LONG / 2)) && !isDigit(text.charCodeAt(at - LONG / 2))) continue;
    let first = at;
    while (isDigit(text.charCodeAt(first - 1))) first -= 1;
    while (isDigit(text.charCodeAt(at))) at += 1;
    const before = text[first - 1];
    if (at - first >= LONG && before !== '"' && before !== '.') return true;
  }
  return false;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57; // NaN, beyond the ends, is none

/** `\u005f` is an underscore in disguise. */
const mayNameProto = (text: string): boolean => text.includes('__proto__') || text.includes('\\u005');

/** Counting openers is far cheaper than walking, and most frames have a handful. Beyond the depth, one kind has over half. */
const mayNestDeep = (text: string): boolean => moreThan(MAX_DEPTH / 2, '[', text) || moreThan(MAX_DEPTH / 2, '{', text);

function moreThan(count: number, opener: string, text: string): boolean {
  let seen = 0;
  for (let at = text.indexOf(opener); at >= 0; at = text.indexOf(opener, at + 1)) if (++seen > count) return true;
  return false;
}

const [QUOTE, BACKSLASH, ARRAY, ARRAY_END, OBJECT, OBJECT_END] = [34, 92, 91, 93, 123, 125];

/** Whether text, if it is JSON, nests deeper than it may. */
function nestsDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === ARRAY || code === OBJECT) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (code === ARRAY_END || code === OBJECT_END) depth -= 1;
  }
  return false;
}

/** Where its closing quote stands; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

function deeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => deeperThan(levels - 1, item));
  return Object.values(value).some((item) => deeperThan(levels - 1, item));
}

const malformed = (text: string, what: string, options?: ErrorOptions) =>
  new AppError('FRAME_MALFORMED', `The frame ${what}: ${text.slice(0, 80)}`, options);
