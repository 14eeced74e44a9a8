import { Command } from 'commander';
import { runClientCommand } from './client-command.ts';
import { type RestoreFlags, runRestore } from './restore-run.ts';
import { type SettingsFlags, settingsOf } from './settings.ts';

/** `npm run restore`: brings a backup back into a database; what is there is never changed. */

function readFlags(argv: readonly string[]): RestoreFlags {
  const program = new Command('npm run restore --')
    .description(
      'Restores a backup into the embedded database of a data directory, or into DATABASE_URL. All or nothing.',
    )
    .argument('[file]', 'name or path of the backup; without it the newest verified one')
    .option('--replace', 'where data is there: keep it under another name, and put the backup in its place', false)
    .option('--config <file>', 'configuration file, as for npm start')
    .option('--data-dir <directory>', 'where the embedded database lives')
    .helpOption('--help', 'show this text')
    .allowExcessArguments(false)
    .showHelpAfterError('Run with --help for all options.')
    .exitOverride()
    .parse(argv, { from: 'user' });
  const { replace, ...flags } = program.opts<SettingsFlags & { replace: boolean }>();
  return {
    file: program.args[0] ?? null,
    replace,
    config: settingsOf(flags),
  };
}

await runClientCommand(readFlags, runRestore);
