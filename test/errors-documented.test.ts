import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERRORS } from '../src/runtime/errors.ts';

it('lists every error code in docs/errors.md with what it means', () => {
  const text = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| (yes|no) \| (.+) \|$/gm)].map(
    ([, code, retry, visible, hint]) => [code, { retry: retry === 'yes', public: visible === 'yes', hint }],
  );
  expect(documented.length).toBeGreaterThan(0);
  expect(Object.fromEntries(documented)).toEqual(ERRORS);
});
