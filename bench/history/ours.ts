/** The server as it is started by `npm start`, on a database that is there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { serving } from './serving.ts';

const directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

serving(async ({ database, collected }) => {
  const file = join(directory, 'config.json');
  const pairs = collected?.symbols.map((symbol) => ({ symbol, data_types: ['trade'] })) ?? [];
  const exchange = {
    ...{ exchange: 'okx', connection: collected?.connection ?? {}, data_collection: { store_raw_data: false } },
    trading_pairs: pairs,
  };
  const settings = { logging: { level: 'WARN', file_output: false }, exchanges: collected ? [exchange] : [] };
  writeFileSync(file, JSON.stringify(settings));
  const config = loadConfig({
    argv: ['--config', file, '--port', '0', '--data-dir', join(directory, 'data')],
    env: { DATABASE_URL: database },
    readFile: () => JSON.stringify(settings),
  });
  return `${(await startApp(config)).url}/graphql`;
});
