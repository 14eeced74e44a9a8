/**
 * Renews the pictures of the README in docs/images: starts simulated exchanges and a server of its own and looks at it with Chromium.
 *
 *   npx node scripts/screenshot.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { startApp } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { findChromium, openBrowser } from './browser.ts';

const SYMBOLS = ['BTC-USDT', 'ETH-USDT'];
const PAGE = 'http://127.0.0.1:8080';
const picture = (name: string) => fileURLToPath(new URL(`../docs/images/${name}.png`, import.meta.url));

const chromium = findChromium();
if (chromium === null) throw new Error('There is no Chromium on PATH; install one or set CHROMIUM_PATH');

await using opened = new AsyncDisposableStack();
const dataDir = await mkdtemp(join(tmpdir(), 'tcp-screenshot-'));
opened.defer(() => rm(dataDir, { recursive: true, force: true }));
const simulators = [];
for (const exchange of ['okx', 'binance'] as const)
  simulators.push(opened.use(await startSimulator({ exchange, symbols: SYMBOLS, rate: 20 })));
const file = {
  server: { port: 4000, allowed_origins: [PAGE] },
  logging: { level: 'WARN', file_output: false },
  exchanges: simulators.map(({ exchange, connection }) => ({
    ...{ exchange, connection },
    trading_pairs: SYMBOLS.map((symbol) => ({ symbol })),
  })),
};
const argv = ['--config', 'screenshot', '--data-dir', dataDir];
const app = opened.use(await startApp(loadConfig({ argv, env: {}, readFile: () => JSON.stringify(file) })));
const browser = await openBrowser(chromium);
opened.defer(() => browser.close());

const look = (options: BrowserContextOptions) => browser.newPage({ colorScheme: 'dark', ...options });

/** A tab of GraphiQL while its subscription answers with `word`. */
async function lookAtTab(tab: string, word: string, name: string): Promise<void> {
  const graphiql = await look({ viewport: { width: 1280, height: 720 } });
  await graphiql.goto(`${app.url}/graphql`);
  const editor = graphiql.locator('.graphiql-query-editor');
  await editor.getByText('query Status').waitFor();
  await graphiql.waitForTimeout(1_000); // a tab that is clicked while the editor is still being built is not opened
  await graphiql.getByRole('tab', { name: tab }).click();
  await editor.getByText(`subscription ${tab}`).waitFor();
  await graphiql.getByRole('button', { name: /execute query/i }).click();
  await graphiql.locator('.graphiql-response').getByText('cursor').waitFor();
  await graphiql.waitForTimeout(1_500); // for the response editor to colour what it shows
  await graphiql.locator('.graphiql-response').getByText(word).first().waitFor();
  await graphiql.screenshot({ path: picture(name) });
  await graphiql.close();
}

await lookAtTab('LiveTrades', 'exchangeTime', 'graphiql-live-trades');
await lookAtTab('LiveCandles', 'CLOSED', 'graphiql-live-candles');

await import('../examples/live-trades-browser/serve.ts');
const trades = await look({ viewport: { width: 1200, height: 540 } });
await trades.goto(PAGE);
await trades.waitForTimeout(12_000); // for lines that are long enough to look at
await trades.screenshot({ path: picture('live-trades-page') });
process.exitCode = 0;
await opened.disposeAsync();
process.exit();
