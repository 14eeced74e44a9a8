import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';

/** A document of a hundred pages is nothing a client is let ask for by default. */
const MANY = 100_000;
const LIMITS = { tokens: MANY, selections: MANY, aliases: 1_000, root_fields: 1_000, repeats: 1_000, cost: 10_000_000 };

/** The server as `npm start` runs it but for the size of documents, with a data directory that goes with the process. Resolves with where it answers. */
export async function startServer(databaseUrl: string, exchanges: readonly object[]): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const settings = { logging: { level: 'WARN', file_output: false }, limits: LIMITS, exchanges };
  const config = loadConfig({
    argv: ['--config', 'config.json', '--port', '0', '--data-dir', join(directory, 'data')],
    env: { DATABASE_URL: databaseUrl },
    readFile: () => JSON.stringify(settings),
  });
  return (await startApp(config)).url;
}

/** OKX in its configuration; what a pair collects is said with it. */
export const okxOf = (connection: object, tradingPairs: readonly object[]): object => ({
  ...{ exchange: 'okx', connection, data_collection: { store_raw_data: false } },
  trading_pairs: tradingPairs,
});

export const portOf = (url: string): number => Number(new URL(url).port);
