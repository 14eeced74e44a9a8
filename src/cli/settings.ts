import { readFileSync } from 'node:fs';
import { type Config, loadConfig } from '../config/config.ts';

/** The flags of a command that means the database and files of a server. */
export interface SettingsFlags {
  readonly config?: string;
  readonly dataDir?: string;
}

/** The settings a server would have that is started with these flags. @throws {ConfigError} */
export const settingsOf = ({ config, dataDir }: SettingsFlags): Config =>
  loadConfig({
    argv: [
      ...(config === undefined ? [] : ['--config', config]),
      ...(dataDir === undefined ? [] : ['--data-dir', dataDir]),
    ],
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
  });
