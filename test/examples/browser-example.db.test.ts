import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findChromium, openBrowser } from '../../scripts/browser.ts';
import { runExample, startDashboard } from './dashboard.ts';
import { startProxy } from './proxy.ts';

const PATIENT = { timeout: 30_000, interval: 100 };
const chromium = findChromium();
if (chromium === null)
  console.warn('SKIPPED: no Chromium on PATH, so the browser example is not tested; install one or set CHROMIUM_PATH');

/** Every row the page ever showed, oldest first, as "symbol id"; the page itself keeps only the newest. */
const KEEP_ROWS = `
  window.shown = [];
  document.addEventListener('DOMContentLoaded', () => {
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes)
        for (const row of [...addedNodes].reverse())
          window.shown.push(row.cells[1].firstChild.textContent + ' ' + row.title.split(' ')[1]);
    }).observe(document.getElementById('tape'), { childList: true });
  });
`;

describe.skipIf(chromium === null)('live-trades-browser', () => {
  const opened = new AsyncDisposableStack();
  afterAll(() => opened.disposeAsync());
  let page: Page;
  beforeAll(async () => {
    const browser = await openBrowser(chromium ?? '');
    opened.defer(() => browser.close());
    page = await browser.newPage();
    await page.addInitScript(KEEP_ROWS);
  });

  const textOf = (selector: string) => page.locator(selector).first().innerText();
  const shown = () => page.evaluate<string[]>('window.shown');

  /** Where the page is served; it asks `api`, which is read when the page server starts. */
  async function servePage(stack: AsyncDisposableStack, api: string, port = '0') {
    const example = stack.use(runExample('live-trades-browser/serve.ts', [], { PORT: port, API: api }));
    const url = await vi.waitFor(() => {
      const found = /http:\S+/.exec(example.lines()[0] ?? '')?.[0];
      if (found === undefined) throw new Error('The page is not served yet');
      return found;
    }, PATIENT);
    return url;
  }

  // Tried again because a starved machine once left two trades out, unexplained so far: a second miss in a row is a defect.
  it('shows every market live and loses and repeats nothing when its connection is cut', { retry: 1 }, async () => {
    await using stack = new AsyncDisposableStack();
    const { origin } = new URL(await reservePage(servePage));
    const dashboard = stack.use(
      await startDashboard({ dataTypes: ['trade'], simulator: { rate: 5 }, allowedOrigins: [origin] }),
    );
    const proxy = stack.use(await startProxy(dashboard.url));
    await page.goto(await servePage(stack, proxy.url, new URL(origin).port));

    for (const resumed of ['0', '1']) {
      const before = (await shown()).length;
      await vi.waitFor(async () => expect((await shown()).length).toBeGreaterThan(before + 20), PATIENT);
      expect(await textOf('#state')).toBe('live');
      expect(await textOf('#resumed')).toBe(resumed);
      expect(proxy.cut()).toBeGreaterThan(0);
      await vi.waitFor(async () => expect(await textOf('#state')).toContain('reconnecting'), PATIENT);
    }
    const rows = await shown();
    for (const symbol of ['BTC-USDT', 'ETH-USDT']) {
      const ids = rows.filter((row) => row.startsWith(symbol)).map((row) => BigInt(row.split(' ')[1] ?? 0));
      const [first = 0n] = ids;
      expect(ids.length).toBeGreaterThan(5);
      expect(ids).toEqual(ids.map((_, index) => first + BigInt(index)));
    }
    expect(await page.locator('#markets article').count()).toBe(2);
    expect(await textOf('#markets .price')).toMatch(/^\d+(\.\d+)?$/);
  });

  it('says what to allow when the server does not know its origin', async () => {
    await using stack = new AsyncDisposableStack();
    const dashboard = stack.use(await startDashboard({ dataTypes: ['trade'] }));
    const url = await servePage(stack, dashboard.url);
    await page.goto(url);
    await vi.waitFor(
      async () => expect(await textOf('#state')).toContain(`ALLOWED_ORIGINS=${new URL(url).origin}`),
      PATIENT,
    );
    expect(await shown()).toEqual([]);
  });
});

/** An address that was free a moment ago: the server has to know it before the page can know the server. */
async function reservePage(serve: (stack: AsyncDisposableStack, api: string) => Promise<string>): Promise<string> {
  await using stack = new AsyncDisposableStack();
  return await serve(stack, 'http://127.0.0.1:9');
}
