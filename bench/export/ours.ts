/** The server as `npm start` runs it, without anything to collect. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { answer } from '../frame/answer.ts';

const directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

answer({
  async open(databaseUrl: string) {
    const config = loadConfig({
      argv: ['--config', 'config.json', '--port', '0', '--data-dir', join(directory, 'data')],
      env: { DATABASE_URL: databaseUrl, LOG_LEVEL: 'ERROR' },
      readFile: () => '{ "exchanges": [], "logging": { "file_output": false } }',
    });
    return Number(new URL((await startApp(config)).url).port);
  },
  rss: () => process.memoryUsage.rss(),
});
