import { readFileSync } from 'node:fs';

export const ROOT = new URL('../../', import.meta.url);
export const README = readFileSync(new URL('README.md', ROOT), 'utf8');

/** The texts of the fenced blocks of one language, in order. */
export const blocksOf = (language: string): readonly string[] =>
  [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, name, text]) => (name === language ? (text ?? '') : []));
