/** Ways to hurt a text, from a bit to its whole shape. */
const HURTS: readonly ((text: string, random: () => number) => string)[] = [
  // one character becomes another, also one that no text may hold
  (text, random) => replaced(text, place(text, random), 1, String.fromCharCode(Math.floor(random() * 0x300))),
  (text, random) => text.slice(0, place(text, random)),
  (text, random) => text.slice(place(text, random)),
  (text, random) => replaced(text, place(text, random), Math.floor(random() * 40), ''),
  (text, random) => {
    const at = place(text, random);
    return replaced(text, at, 0, text.slice(at, at + Math.floor(random() * 60)));
  },
  (text, random) => replaced(text, place(text, random), 1, pick(['{', '}', '[', ']', '"', ':', ',', '\\'], random)),
  // a value becomes another
  (text, random) => anyValueOf(text, random),
  (text, random) => anyValueOf(text, random),
  // a key becomes one that JavaScript knows
  (text, random) =>
    text.replace(pick(KEYS, random), `"${pick(['__proto__', 'constructor', 'toString', 'hasOwnProperty'], random)}":`),
  (text, random) => text.replace('"data":[', `"data":${pick(['{', '[[', '[null,', '[1,"x",', '"'], random)}`),
  (text) => text.replace('"data":[', `"data":[${'['.repeat(50_000)}`),
  (text) => text.replace('{', `{"pad":"${'x'.repeat(100_000)}",`),
  (text) => text.replace('{', '{"arg":{"channel":"__proto__","instId":"constructor"},'),
  (text) => text.replaceAll('"', "'"),
  (text) => text + text,
  (text) => `\ufeff${text}`,
  () => '',
  () => 'null',
];

const VALUE = /:("[^"]*"|\d+)/g;
const KEYS = [/"arg":/, /"data":/, /"px":/, /"tradeId":/, /"ts":/, /"last":/];
const ODD_VALUES = [
  ...[
    'null',
    'true',
    '{}',
    '[]',
    '""',
    '"-1"',
    '"NaN"',
    '"Infinity"',
    '"1e400"',
    '-0',
    '1e999',
    '"0x10"',
    '" 1"',
    '"1,5"',
  ],
  ...[
    '"\\u0000"',
    '"\\ud800"',
    '"\\r\\nlevel=error"',
    '"\\u001b[31m"',
    '"99999999999999999999999999"',
    '9007199254740993',
  ],
  `"${'9'.repeat(500)}"`,
  `"0.${'0'.repeat(500)}1"`,
  '"<script>alert(1)</script>"',
  '"\'; drop table trade; --"',
];

function anyValueOf(text: string, random: () => number): string {
  const values = [...text.matchAll(VALUE)];
  if (values.length === 0) return '';
  const { index, 0: whole } = pick(values, random);
  return replaced(text, index, whole.length, `:${pick(ODD_VALUES, random)}`);
}

const place = (text: string, random: () => number): number => Math.floor(random() * text.length);
const pick = <T>(of: readonly T[], random: () => number): T => of[Math.floor(random() * of.length)] as T;
const replaced = (text: string, at: number, length: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + length);

/** The text after one to three hurts. */
export function mutated(text: string, random: () => number): string {
  let hurt = text;
  for (let left = 1 + Math.floor(random() * 3); left > 0; left -= 1) hurt = pick(HURTS, random)(hurt, random);
  return hurt;
}
