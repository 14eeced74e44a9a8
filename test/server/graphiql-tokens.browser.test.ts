import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findChromium, openBrowser } from '../../scripts/browser.ts';
import type { Access } from '../../src/access/access.ts';
import { TokenPlace } from '../access/tokens.ts';
import { answerOf, runShown, runTab, showTab } from './graphiql-page.ts';
import { type Served, serve } from './served.ts';

const chromium = findChromium();
if (!chromium) console.warn('SKIPPED: GraphiQL with tokens. Install chromium, or name one in CHROMIUM_PATH.');

describe.skipIf(!chromium)('GraphiQL where tokens are needed', () => {
  let access: Access;
  let served: Served;
  let token: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const place = new TokenPlace();
    token = place.token('ada', 'read');
    access = place.open();
    served = await serve({ access, alwaysGraphiql: true });
    served.market.trade(30);
    browser = await openBrowser(chromium ?? '');
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await open();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await served[Symbol.asyncDispose]();
    access[Symbol.dispose]();
  });

  const open = async () => {
    await page.goto(served.url);
    await page.getByRole('button', { name: /execute query/i }).waitFor({ timeout: 25_000 });
  };
  const answer = () => answerOf(page);
  const run = (tab: string, answered: () => Promise<void>) => runTab(page, tab, answered);
  const shows = (text: RegExp) => () => vi.waitFor(async () => expect(await answer()).toMatch(text), 3_000);
  /**
   * The editor is made a moment after it is shown, and takes no text before: it is given until it has it. Do not click the tab afterwards:
   * GraphiQL keeps what is written half a second later, and would show what it kept.
   */
  const giveToken = async () => {
    await page.getByRole('button', { name: 'Headers', exact: true }).click();
    const editor = page.getByRole('region', { name: 'Headers' });
    await vi.waitFor(
      async () => {
        await editor.getByRole('code').click();
        await page.keyboard.press('ControlOrMeta+a');
        await page.keyboard.insertText(JSON.stringify({ authorization: `Bearer ${token}` }));
        expect((await editor.innerText()).replaceAll(/\s/g, '')).toContain('Bearer');
      },
      { timeout: 10_000, interval: 300 },
    );
  };

  it('answers nothing without one', async () => {
    await run('Status', shows(/needs a token/));
  });

  it('takes one in its editor of headers, for a query', async () => {
    await showTab(page, 'Status');
    await giveToken();
    await runShown(page, shows(/"status": "OK"/));
  });

  it('takes it for a subscription, which is not begun without', async () => {
    await run('LiveTrades', shows(/needs a token/));
    expect(served.market.feed.subscribers).toBe(0);
    await giveToken();
    await runShown(page, () => vi.waitFor(() => expect(served.market.feed.subscribers).toBe(1)));
    served.market.trade(1);
    await shows(/"price": "50000.0000000030"/)();
  });

  it('keeps it nowhere, and has forgotten it after a reload', async () => {
    const kept = async () =>
      JSON.stringify([
        await page.context().cookies(),
        await page.context().storageState({ indexedDB: true }),
        await page.evaluate(async () => [
          JSON.stringify(localStorage),
          JSON.stringify(sessionStorage),
          await indexedDB.databases(),
          'caches' in self ? await caches.keys() : [],
          location.href,
        ]),
      ]);
    const before = await kept();
    expect(before).toContain('LiveTrades');
    await open();
    expect(served.market.feed.subscribers).toBeLessThanOrEqual(1);
    const after = await kept();
    for (const text of [before, after]) expect(text).not.toContain(token.slice(-43));
    await run('Status', shows(/needs a token/));
    await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(0));
  });
});
