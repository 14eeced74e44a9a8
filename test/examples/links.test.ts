import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ROOT } from './readme.ts';

const PAGES = globSync(['*.md', 'docs/**/*.md', 'bench/*.md', 'bench/causes/*.md'], { cwd: fileURLToPath(ROOT) });

const textOf = (page: URL) => readFileSync(page, 'utf8').replaceAll(/^```.*?^```$/gms, '');
/** As GitHub makes an anchor of a heading. */
const slug = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

it('there are pages to look at', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/operations.md', 'bench/README.md']));
});

it.each(PAGES)('%s links to files and headings that exist', (name) => {
  const page = new URL(name, ROOT);
  for (const [link, path = '', anchor] of textOf(page).matchAll(/\]\((?!http)([^)#]*)(?:#([^)]*))?\)/g)) {
    const target = path === '' ? page : new URL(path, page);
    expect([link, existsSync(target)]).toEqual([link, true]);
    if (anchor === undefined || !target.pathname.endsWith('.md')) continue;
    const headings = [...textOf(target).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => slug(text));
    expect([link, headings]).toEqual([link, expect.arrayContaining([anchor])]);
  }
});
