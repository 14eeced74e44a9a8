import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { unwrap } from '../../src/config/problems.ts';
import { CONFIG_FILE } from '../../src/config/schema.ts';

const PAGE = fileURLToPath(new URL('../../docs/configuration.md', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../.env.example', import.meta.url));

/** One row a setting: path, default, rule, meaning. */
function rowsOf(schema: z.ZodType, path: string): readonly string[] {
  const inner = unwrap(schema);
  const prefix = path === '' ? '' : `${path}.`;
  if (inner instanceof z.ZodObject && inner.meta()?.rule === undefined) {
    const [first, ...others] = Object.values(inner.shape) as readonly z.ZodType[];
    if (first && others.length > 0 && others.every((other) => unwrap(other) === unwrap(first)))
      return rowsOf(first, `${prefix}*`);
    return Object.entries(inner.shape).flatMap(([key, value]) => rowsOf(value as z.ZodType, `${prefix}${key}`));
  }
  if (inner instanceof z.ZodArray && unwrap(inner.element as z.ZodType) instanceof z.ZodObject)
    return rowsOf(inner.element as z.ZodType, `${path}[]`);
  const rule = String(inner?.meta()?.rule ?? '').replace(/^must (be )?/, '');
  return [`| \`${path}\` | ${defaultOf(schema, path)} | ${rule} | ${schema.description ?? inner?.description ?? ''} |`];
}

function defaultOf(schema: z.ZodType, path: string): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return `\`${JSON.stringify(schema.def.defaultValue)}\``;
  if (path.includes('connection')) return "the exchange's own";
  return schema instanceof z.ZodOptional ? 'see meaning' : 'required';
}

it('lists every setting in docs/configuration.md (vitest -u writes the table)', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const table = ['| Setting | Default | Rule | Meaning |', '|---|---|---|---|', ...rowsOf(CONFIG_FILE, '')].join('\n');
  const [before, after] = [page.split('<!-- settings -->\n')[0], page.split('<!-- /settings -->')[1]];
  expect(after).toBeDefined();
  await expect(`${before}<!-- settings -->\n${table}\n<!-- /settings -->${after}`).toMatchFileSnapshot(PAGE);
});

it('shows every variable of docs/configuration.md in .env.example', () => {
  const documented = [...readFileSync(PAGE, 'utf8').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  const shown = [...readFileSync(EXAMPLE, 'utf8').matchAll(/^# ?([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(documented).toContain('DATABASE_URL');
  expect(shown.sort()).toEqual(documented.sort());
});

it('has a level for every component the server logs as, and for no other', () => {
  const wiring = readFileSync(new URL('../../src/app.ts', import.meta.url), 'utf8');
  const opened = new Set([...wiring.matchAll(/\bopen\('(\w+)'\)/g)].map(([, name]) => name));
  const configurable = CONFIG_FILE.parse({}).components;
  expect([...opened].sort()).toEqual(Object.keys(configurable).sort());
});
