import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FINDINGS } from './findings.ts';
import { SCENARIOS } from './scenarios.ts';

const text = readFileSync(new URL('../../docs/chaos.md', import.meta.url), 'utf8');

/** The names in the first column of the table with this heading. */
const firstColumn = (heading: string): readonly string[] =>
  (text.split(`| ${heading} |`)[1] ?? '')
    .split('\n\n')[0]
    ?.split('\n')
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([\w-]+)`/g)].map(([, name]) => name ?? '')) ?? [];

it('describes every scenario and every finding, and no other', () => {
  expect(firstColumn('Scenario')).toEqual(Object.keys(SCENARIOS));
  expect(firstColumn('Finding').toSorted()).toEqual(Object.keys(FINDINGS).toSorted());
});
