import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findChromium, openBrowser } from '../../scripts/browser.ts';
import { runExample, startDashboard } from './dashboard.ts';
import { startProxy } from './proxy.ts';

const PATIENT = { timeout: 30_000, interval: 100 };
const chromium = findChromium();
if (chromium === null)
  console.warn('SKIPPED: no Chromium on PATH, so the browser example is not tested; install one or set CHROMIUM_PATH');

/** Every trade that reached the page's own listener, oldest first, as "symbol id": its tape keeps the newest 24, even of one payload. */
const KEEP_TRADES = `
  window.received = [];
  const listen = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (type, listener) {
    return listen.call(this, type, (event) => {
      listener(event);
      if (type !== 'next') return;
      for (const { node } of JSON.parse(event.data).data.trades.edges) window.received.push(node.symbol + ' ' + node.tradeId);
    });
  };
`;

describe.skipIf(chromium === null)('live-trades-browser', () => {
  const opened = new AsyncDisposableStack();
  afterAll(() => opened.disposeAsync());
  let page: Page;
  beforeAll(async () => {
    const browser = await openBrowser(chromium ?? '');
    opened.defer(() => browser.close());
    page = await browser.newPage();
    await page.addInitScript(KEEP_TRADES);
  });

  const textOf = (selector: string) => page.locator(selector).first().innerText();
  const received = () => page.evaluate<string[]>('window.received');

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

  it('shows every market live and loses and repeats nothing when its connection is cut', async () => {
    await using stack = new AsyncDisposableStack();
    const { origin } = new URL(await reservePage(servePage));
    const dashboard = stack.use(
      await startDashboard({ dataTypes: ['trade'], simulator: { rate: 5 }, allowedOrigins: [origin] }),
    );
    const proxy = stack.use(await startProxy(dashboard.url));
    await page.goto(await servePage(stack, proxy.url, new URL(origin).port));

    for (const resumed of ['0', '1']) {
      const before = (await received()).length;
      await vi.waitFor(async () => expect((await received()).length).toBeGreaterThan(before + 20), PATIENT);
      expect(await textOf('#state')).toBe('live');
      expect(await textOf('#resumed')).toBe(resumed);
      expect(proxy.cut()).toBeGreaterThan(0);
      await vi.waitFor(async () => expect(await textOf('#state')).toContain('reconnecting'), PATIENT);
    }
    const trades = await received();
    expect(await textOf('#count')).toBe(trades.length.toLocaleString('en'));
    expect(await page.locator('#tape tr').first().getAttribute('title')).toBe(`Trade ${trades.at(-1)?.split(' ')[1]}`);
    for (const symbol of ['BTC-USDT', 'ETH-USDT']) {
      const ids = trades.filter((trade) => trade.startsWith(symbol)).map((trade) => BigInt(trade.split(' ')[1] ?? 0));
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
    expect(await received()).toEqual([]);
  });
});

/** An address that was free a moment ago: the server has to know it before the page can know the server. */
async function reservePage(serve: (stack: AsyncDisposableStack, api: string) => Promise<string>): Promise<string> {
  await using stack = new AsyncDisposableStack();
  return await serve(stack, 'http://127.0.0.1:9');
}
