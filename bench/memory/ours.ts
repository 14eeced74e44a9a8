/** The server as `npm start` runs it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { answer } from '../frame/answer.ts';
import type { Collecting } from './exchange.ts';
import { held } from './held.ts';

const directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

answer({
  async open({ databaseUrl, connection, symbols }: Collecting) {
    const settings = {
      logging: { level: 'ERROR', file_output: false },
      exchanges: [
        {
          ...{ exchange: 'okx', connection, data_collection: { store_raw_data: false } },
          trading_pairs: symbols.map((symbol) => ({
            ...{ symbol, data_types: ['trade', 'ticker', 'orderbook'] },
            channels: { trade: 'trades', ticker: 'tickers', orderbook: 'books5' },
          })),
        },
      ],
    };
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(settings));
    const config = loadConfig({
      argv: ['--config', file, '--port', '0', '--data-dir', join(directory, 'data')],
      env: { DATABASE_URL: databaseUrl },
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    return Number(new URL((await startApp(config)).url).port);
  },
  held,
});
