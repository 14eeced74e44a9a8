import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LIMITS } from '../../src/runtime/limits.ts';

it('docs/security.md has a row for every limit, with its default', () => {
  const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `limits\.(\w+)` \| ([\d,]+) \|/gm)].map(([, rule, value]) => [
    rule,
    Number(value?.replaceAll(',', '')),
  ]);
  expect(rows).toEqual(Object.entries(LIMITS));
});
