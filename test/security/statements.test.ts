import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { templatesOf } from './templates.ts';

/** Nobody else may import what reaches a database, as the architecture says. */
const src = fileURLToPath(new URL('../../src', import.meta.url));
const files = readdirSync(join(src, 'storage'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `storage/${file.replaceAll('\\', '/')}`)
  .sort();
const code = (file: string) =>
  readFileSync(join(src, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(?<![:'"])\/\/.*$/gm, '');

const STATEMENT =
  /^\s*\(*(?:select|with|insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from|copy|create|alter|drop|truncate|lock\s+table|set\s+local|pragma|merge)\s/i;

/** Of a part, to be told from the others. */
const SHOWN = 60;

/**
 * Every part of a statement that is no parameter. Each is ours: a name of our schema, a constant, a number, another part, or placeholders;
 * but in `backup/table-rows.ts` `beyond` has values of keys as literals, as COPY takes no parameters.
 */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  'storage/backup/refill.ts': ['SCHEMA', 'kept'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source
  'storage/backup/snapshot.ts': ['setting', "tables.map(({ name }) => `tcp_dashboard.${name}`).join(', ')"],
  'storage/backup/table-rows.ts': ['PAGE_ROWS', 'beyond', "columns.join(', ')", 'name', 'order'],
  'storage/candle-basis.ts': ['CLOCK_STEP', 'candleColumns'],
  'storage/candles.ts': ['candleColumns', 'page'],
  'storage/database-facts.ts': ['SCHEMA'],
  'storage/event-log.ts': ['Math.round(maxPages)'],
  'storage/export-trades.ts': ["COLUMNS.join(`, e'\\\\t', `)", "ms('max(ts)')"],
  'storage/partitions.ts': ['name', 'relation'],
  'storage/record-trades.ts': [
    "into('trade')",
    "mode === 'bold' ? '' : 'on conflict do nothing'",
    "mode === 'bold' ? 'batch' : fresh(partitions)",
    'partition',
    "partitions.map(lookUp).join(' union all ')",
    "rollUp(mode === 'bold' ? ALL_STORED : SOME_STORED, into('can",
  ],
  'storage/roll-up.ts': [
    'STORED_SECONDS.map((seconds) => `select * from ${tableOf(sec',
    'STORED_SECONDS.map((seconds, k) => { const shorter = STORED_',
    "['close', 'last_ts', 'last_id'].map((column) => either(isLat",
    "['open', 'first_ts', 'first_id'].map((column) => either(isEa",
    'candles',
    'from',
    'numbered',
    'seconds',
    'sums',
    'tableOf(seconds)',
    'time',
  ],
  'storage/spool/spool-file.ts': ["names.join(', ')", "names.map(() => '?').join(', ')", 'table'],
  'storage/spool/spool-worker.ts': ['Math.max(64, Math.floor(limitBytes / pageBytes))'],
  'storage/trade-pages.ts': [
    'TRADE_LINE',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source
    "[`instrument_id = ${instrument}`, ...conditions].join(' and ",
    'direction',
    "page('m.instrument_id')",
  ],
  'storage/views.ts': ['name'],
  'storage/writer-slot.ts': ['FIRST_POSITION'],
};

it('builds statements from nothing but its own names', () => {
  const built = files.flatMap((file) => {
    const text = code(file);
    const templates = templatesOf(text)
      .filter(({ tag, text: begins }) => tag !== 'sql' && STATEMENT.test(begins))
      .flatMap(({ expressions }) => expressions.map((expression) => expression.slice(0, SHOWN)));
    const raw = [...text.matchAll(/sql\.(?:raw|identifier)\((\w+)/g)].map(([, name = '']) => name);
    const parts = [...new Set([...templates, ...raw])].sort();
    return parts.length === 0 ? [] : [[file, parts] as const];
  });
  expect(Object.fromEntries(built)).toEqual(PARTS);
});

it('finds a statement with a value in it', () => {
  const dollar = '$';
  const [found] = templatesOf(
    `db.query(\`select * from t where a = '${dollar}{name}' and b = ${dollar}{x(\`y${dollar}{1}\`)}\`)`,
  );
  expect(found).toMatchObject({ tag: '', expressions: ['name', `x(\`y${dollar}{1}\`)`] });
  expect(templatesOf(`db.query(sql<Row>\`select ${dollar}{a}\`)`)).toMatchObject([{ tag: 'sql', expressions: ['a'] }]);
});
