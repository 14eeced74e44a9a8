import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { messageOf } from '../runtime/errors.ts';

/** The JSON object a file holds, or the problem that keeps it from being read. A problem never quotes the file. */
export function readJsonFile(
  path: string,
  readFile: (path: string) => string,
): { readonly value: unknown } | { readonly problem: string } {
  let text: string;
  try {
    text = readFile(path).replace(/^\u{feff}/u, '');
  } catch (error) {
    return { problem: `${path}: cannot be read (${messageOf(error)}); give the path of a JSON file with --config` };
  }
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: `${path}: is not JSON${placeOfError(text)}; comments and trailing commas are not allowed` };
  }
}

/** JSON.parse does not always say where, and quotes the file when it does. */
function placeOfError(text: string): string {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  const [first] = errors;
  if (!first) return '';
  const before = text.slice(0, first.offset).split('\n');
  const what = printParseErrorCode(first.error)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase();
  return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} (${what})`;
}
