/** Every payload has it, so that it is found wherever it comes out. */
export const MARK = 'zqx7';

const mark = (k: number): string => `${MARK}${k}`;

/** What a database could be made to do, in the ways a text can get out of where it was put; `m` is the mark. */
const FAMILIES: Readonly<Record<string, (m: string, k: number) => string>> = {
  quote: (m, k) => `${"'".repeat(1 + (k % 4))}${m}`,
  'quote and condition': (m, k) => `${m}' or ${k}=${k} or '${m}'='`,
  comment: (m, k) => `${m}'${['--', '/*', '#', '/**/--', ';--'][k % 5]} `,
  'stacked statement': (m, k) =>
    `${m}'; ${['drop table tcp_dashboard.trade', 'delete from tcp_dashboard.instrument', `create table ${m}(a int)`, `create role ${m} superuser`, 'truncate tcp_dashboard.market_point'][k % 5]}; --`,
  union: (m, k) => `${m}' union select ${'null, '.repeat(k % 12)}version() --`,
  'unicode quote': (m, k) => `${['\u02bc', '\u2018', '\u2019', '\uff07', '\u2032', "\u0301'", '\ufe10'][k % 7]}${m}`,
  backslash: (m, k) => `${'\\'.repeat(1 + (k % 4))}'${m}\\`,
  'null byte': (m, k) => `${m}${['\0', '\\0', '%00', "\u0000'", 'a\0b'][k % 5]}`,
  'broken character': (m, k) => `${['\ud800', '\udc00', '\ufffe', '\u00bf\u0027', '\u202e'][k % 5]}'${m}`,
  cast: (m, k) => `${m}'::${['int', 'regclass', 'xml', 'jsonb', 'inet'][k % 5]}::text`,
  sleep: (m, k) => `${m}'||(select ''||pg_sleep(${20 + k}))||'`,
  'error that tells': (m, k) =>
    `${m}' and 1=cast((select ${['version()', 'current_user', 'passwd from pg_shadow limit 1'][k % 3]}) as int) --`,
  'dollar quoting': (m, k) => `$${k % 2 ? 'q' : ''}$${m}$${k % 2 ? 'q' : ''}$; select 1 --`,
  placeholder: (m, k) => `$${k % 9} ${m} ? :a %s {0}`,
  identifier: (m, k) => `"${m}${['"', '"."', '""', '"; drop table x; --', '" cascade'][k % 5]}`,
  file: (m, k) => `${m}'; copy tcp_dashboard.trade to ${k % 2 ? "program 'id'" : `'/tmp/${m}'`} --`,
  pattern: (m, k) => `${'%'.repeat(1 + (k % 3))}${m}_`,
  array: (m, k) => `{${m},${['NULL', '"', '}', '\\', ','][k % 5]}`,
  json: (m, k) => `{"${m}":${['1e999', '"\\u0000"', '{"$ne":null}', '[', 'null'][k % 5]}}`,
  'new line': (m, k) => `${m}${['\n', '\r\n', '\u2028', '\x1b[2J', '\t'][k % 5]}LOG:  statement: drop table x; --`,
};

/** Two hundred, ten of each family. */
export const PAYLOADS: readonly string[] = Object.values(FAMILIES).flatMap((make, family) =>
  Array.from({ length: 10 }, (_, k) => make(mark(family * 10 + k), k)),
);
