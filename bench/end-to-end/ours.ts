/** The server as `npm start` runs it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { answer } from '../frame/answer.ts';
import type { Wiring } from './end-to-end.ts';

const directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

answer({
  async open({ databaseUrl, exchangePort, symbols }: Wiring) {
    const url = `ws://127.0.0.1:${exchangePort}/ws/v5`;
    const connection = {
      ...{ public_ws_url: `${url}/public`, business_ws_url: `${url}/business` },
      rest_url: `http://127.0.0.1:${exchangePort}`,
    };
    const file = join(directory, 'config.json');
    const settings = {
      logging: { level: 'WARN', file_output: false },
      exchanges: [
        {
          ...{ exchange: 'okx', connection, data_collection: { store_raw_data: false } },
          trading_pairs: symbols.map((symbol) => ({ symbol, data_types: ['trade'], channels: { trade: 'trades' } })),
        },
      ],
    };
    writeFileSync(file, JSON.stringify(settings));
    const config = loadConfig({
      argv: ['--config', file, '--port', '0', '--data-dir', join(directory, 'data')],
      env: { DATABASE_URL: databaseUrl },
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    return Number(new URL((await startApp(config)).url).port);
  },
});
