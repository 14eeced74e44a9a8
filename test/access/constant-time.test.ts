import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TokenBook } from '../../src/access/token-book.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { TokenPlace } from './tokens.ts';
import { welchOf } from './welch.ts';

/** Of Welch's t: by chance alone it is beyond this once in 150,000 times. */
const TELLING = 4.5;
const COMPARES = 20_000;
/** Something else on the machine may look like a difference, but not three times. */
const TRIES = 3;

/** The same text with each of 32 other characters at a place; copied, so that all are kept in memory in one and the same form. */
const wrongAt = (text: string, index: number): readonly string[] =>
  Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
    .filter((character) => character !== text[index])
    .slice(0, 32)
    .map((character) => Buffer.from(text.slice(0, index) + character + text.slice(index + 1)).toString('latin1'));

/** As nobody should compare: it ends at the first character that differs. */
function leaks(one: string, other: string): boolean {
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

it('takes as long for a token that is wrong in its first as in its last character', () => {
  const place = new TokenPlace();
  const token = place.token('ci', 'read');
  const book = new TokenBook(place.file, silentLog);
  expect(book.find(token)?.name).toBe('ci');
  const secretAt = token.length - 43;
  const wrong = [wrongAt(token, secretAt), wrongAt(token, token.length - 1)] as const;
  expect(wrong.flat().every((text) => book.find(text) === null)).toBe(true);
  const tries = Array.from({ length: TRIES }, () =>
    Math.abs(welchOf((text) => book.find(text) === null, wrong, COMPARES)),
  );
  expect(Math.min(...tries)).toBeLessThan(TELLING);
});

it('would tell of a comparison that ends where a difference is', () => {
  const secret = 'x'.repeat(4_000);
  const wrong = [wrongAt(secret, 0), wrongAt(secret, secret.length - 1)] as const;
  expect(Math.abs(welchOf((text) => leaks(secret, text), wrong, COMPARES))).toBeGreaterThan(TELLING);
});

/** A comparison with something that is, by its name, what a token is or is kept as; or one by a way that is never constant in time. */
const SECRET = String.raw`\w*(?:token|secret|hash|sha256|digest|password)`;
const LEAKY = new RegExp(
  String.raw`(?<![\w.])(?:[\w.?#!]+\.)?${SECRET}\)? *[!=]==?(?!=| *(?:null|undefined)\b)|[!=]==? *(?:[\w.?#!]+\.)?${SECRET}\b(?![\w.(])|\.(?:equals|compare|localeCompare)\(`,
  'gi',
);
const leaksIn = (code: string) => [...code.matchAll(LEAKY)].map(([found]) => found.trim());

it.each([
  ['token === other'],
  ['other == known.token.sha256'],
  ['known?.hash !== hash'],
  ['this.#secret != given'],
  ['hash.equals(known.hash)'],
  ['Buffer.compare(a, b)'],
])('sees that `%s` compares in a time that tells', (code) => {
  expect(leaksIn(code)).not.toEqual([]);
});

it.each([['token.name === name'], ['token !== null'], ['tokens.length === 0'], ['known?.token.revoked_at === null']])(
  'sees nothing in `%s`',
  (code) => {
    expect(leaksIn(code)).toEqual([]);
  },
);

it('compares tokens and hashes nowhere but in constant time', () => {
  const room = new URL('../../src/access/', import.meta.url);
  const files = readdirSync(room);
  expect(files.length).toBeGreaterThan(5);
  const found = files.map((file) => [file, leaksIn(readFileSync(new URL(file, room), 'utf8'))] as const);
  expect(found.filter(([, leaks]) => leaks.length > 0)).toEqual([]);
  expect(readFileSync(new URL('token-book.ts', room), 'utf8')).toContain('timingSafeEqual(');
});
