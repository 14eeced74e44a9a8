import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { ConfigError } from '../config/problems.ts';
import { runClientCommand } from './client-command.ts';
import { type DoctorFlags, runDoctor } from './doctor-run.ts';

/** `npm run doctor`: looks at everything a server needs and says what to do. */

interface Options {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly dataDir?: string;
  readonly databaseUrl?: string;
  readonly json?: true;
}

function readFlags(argv: readonly string[]): DoctorFlags {
  const options = new Command('npm run doctor --')
    .description(
      'Looks at everything the server needs - machine, directories, database, exchanges, backups - and changes nothing.',
    )
    .option('--config <file>', 'configuration file, and the flags below, as for npm start')
    .option('--host <host>')
    .option('--port <port>')
    .option('--data-dir <directory>')
    .option('--database-url <url>')
    .option('--json', 'one JSON object instead of lines for people')
    .helpOption('--help', 'show this text')
    .showHelpAfterError('Run with --help for all options.')
    .allowExcessArguments(false)
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<Options>();
  const given = { '--config': options.config, '--host': options.host, '--port': options.port };
  const places = { '--data-dir': options.dataDir, '--database-url': options.databaseUrl };
  const start = Object.entries({ ...given, ...places }).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, value],
  );
  return { json: options.json === true, config: readConfig(start) };
}

/** What is wrong with it is a finding like others. */
function readConfig(argv: readonly string[]): DoctorFlags['config'] {
  try {
    return loadConfig({ argv, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

await runClientCommand(readFlags, runDoctor);
