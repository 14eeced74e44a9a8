import { readFileSync } from 'node:fs';
import { startApp } from './app.ts';
import { exitWith } from './cli/exit-with.ts';
import { runUntilSignal } from './cli/run-until-signal.ts';
import { loadConfig } from './config/config.ts';

try {
  const readFile = (path: string) => readFileSync(path, 'utf8');
  const config = loadConfig({ argv: process.argv.slice(2), env: process.env, readFile });
  await runUntilSignal((interrupted) => startApp(config, { interrupted }));
} catch (error) {
  exitWith(error);
}
