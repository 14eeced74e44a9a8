import { Command } from 'commander';
import { type BackupFlags, runBackup } from './backup-run.ts';
import { runClientCommand } from './client-command.ts';
import { type SettingsFlags, settingsOf } from './settings.ts';

/** `npm run backup`: makes an encrypted backup and verifies it; `verify` and `list` what is there. */

interface Options extends SettingsFlags {
  readonly verify: boolean;
}

function readFlags(argv: readonly string[]): BackupFlags {
  let flags: BackupFlags | null = null;
  const program = new Command('npm run backup --')
    .description(
      'Writes all that is stored into one encrypted file, while a server may be at work, and sees that it comes back the same.',
    )
    .option('--config <file>', 'configuration file, as for npm start')
    .option('--data-dir <directory>', 'where the embedded database lives')
    .helpOption('--help', 'show this text')
    .helpCommand(false)
    .showHelpAfterError('Run with --help for all options.')
    .exitOverride();
  program
    .command('make', { isDefault: true })
    .description('makes one (this is meant without any word)')
    .option('--no-verify', 'do not restore it into a scratch database; it does not count until that is done')
    .allowExcessArguments(false)
    .action((_own, command: Command) => {
      const all = command.optsWithGlobals<Options>();
      flags = { command: 'make', verify: all.verify, config: settingsOf(all) };
    });
  program
    .command('verify')
    .argument('[file]', 'name or path of the backup; without it the newest one')
    .description('restores one into a scratch database and compares; a backup counts only after that')
    .allowExcessArguments(false)
    .action((file: string | undefined, _own, command: Command) => {
      flags = { command: 'verify', file: file ?? null, config: settingsOf(command.optsWithGlobals<Options>()) };
    });
  program
    .command('list')
    .description('lists the backups there are')
    .allowExcessArguments(false)
    .action((_own, command: Command) => {
      flags = { command: 'list', config: settingsOf(command.optsWithGlobals<Options>()) };
    });
  program.parse(argv, { from: 'user' });
  if (flags === null) throw new Error('Commander ran no command');
  return flags;
}

await runClientCommand(readFlags, runBackup);
