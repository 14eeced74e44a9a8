import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answerOf, runTab } from './graphiql-page.ts';
import { type Served, serve } from './served.ts';

const CHROMIUM = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path && existsSync(path));
if (!CHROMIUM) console.warn('SKIPPED: GraphiQL in a browser. Install chromium, or name one in CHROMIUM_PATH.');

describe.skipIf(!CHROMIUM)('GraphiQL in a browser without internet', () => {
  let served: Served;
  let browser: Browser;
  let page: Page;
  const strangers: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    served = await serve();
    served.market.trade(30);
    browser = await chromium.launch({
      executablePath: CHROMIUM as string,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url()) && new URL(request.url()).host !== new URL(served.url).host)
        strangers.push(request.url());
    });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(served.url);
    await page.getByRole('button', { name: /execute query/i }).waitFor({ timeout: 25_000 });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await served[Symbol.asyncDispose]();
  });

  const answer = () => answerOf(page);
  const shows = (text: RegExp) => vi.waitFor(async () => expect(await answer()).toMatch(text), { timeout: 10_000 });
  const run = (tab: string, answered: () => Promise<void>) => runTab(page, tab, answered);
  const showsSoon = (text: RegExp) => () => vi.waitFor(async () => expect(await answer()).toMatch(text));

  it('opens with its six tabs', async () => {
    expect(await page.getByRole('tab').allInnerTexts()).toEqual([
      'Status',
      'History',
      'LiveTrades',
      'LiveCandles',
      'Coverage',
      'Restart',
    ]);
  });

  it('shows the status', async () => {
    await run('Status', showsSoon(/"status": "OK"/));
  });

  it('shows a page of history', async () => {
    await run('History', showsSoon(/"tradeId": "9007199254741022"/));
  });

  it('streams live trades as they happen, and stops when asked', async () => {
    await run('LiveTrades', () => vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(1)));
    served.market.trade(1);
    await shows(/"price": "50000.0000000030"/);
    served.market.trade(1);
    await shows(/"price": "50000.0000000031"/);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await page.getByRole('button', { name: /stop query|execute query/i }).click();
    await vi.waitFor(() => expect(served.market.services.trades.subscribers).toBe(0));
  });

  it('streams candles as they come about, and stops when asked', async () => {
    await run('LiveCandles', showsSoon(/"type": "UPDATED"/));
    await page.getByRole('button', { name: /stop query|execute query/i }).click();
    await vi.waitFor(() => expect(served.market.services.candleFeed.subscribers).toBe(0));
  });

  it('restarts a collector', async () => {
    await run('Restart', showsSoon(/"restartCollector": \{[\s\S]*"state": "RUNNING"/));
  });

  it('asked nobody else for anything, and nothing failed', () => {
    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('is not sent again when nothing changed', async () => {
    const first = await fetch(`${served.server.url}/graphiql/app.js`);
    expect(first.headers.get('content-encoding')).toMatch(/br|gzip/);
    await first.arrayBuffer();
    const again = await fetch(`${served.server.url}/graphiql/app.js`, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
  });
});
