import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SCENARIOS } from './scenarios.ts';

const text = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

it('describes every scenario, and no other', () => {
  const rows = (text.split('| Scenario |')[1] ?? '')
    .split('\n')
    .slice(2)
    .filter((line) => line.startsWith('|'));
  expect(rows.map((line) => /^\| `(\w+)`/.exec(line)?.[1]).toSorted()).toEqual(Object.keys(SCENARIOS).toSorted());
});
