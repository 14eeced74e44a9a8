import { Command, Option } from 'commander';
import { ROLES, type Role } from '../access/role.ts';
import { readLife } from './arguments.ts';
import { runClientCommand } from './client-command.ts';
import { type SettingsFlags, settingsOf } from './settings.ts';
import { runToken, type TokenFlags } from './token-run.ts';

/** `npm run token`: makes, lists and revokes the tokens clients of a server have to show. */

interface Options extends SettingsFlags {
  readonly name: string;
  readonly role: readonly Role[];
  readonly expires: number | null;
}

const YEAR_MS = 365 * 86_400_000;

function readFlags(argv: readonly string[]): TokenFlags {
  let flags: TokenFlags | null = null;
  const program = new Command('npm run token --')
    .description(
      'Makes, lists and revokes access tokens. They are kept, as hashes, in the data directory; a running server follows.',
    )
    .option('--config <file>', 'configuration file, as for npm start')
    .option('--data-dir <directory>', 'as for npm start')
    .helpOption('--help', 'show this text')
    .helpCommand(false)
    .showHelpAfterError('Run with --help for all options.')
    .exitOverride();
  program
    .command('create')
    .description('makes a token and shows it, this once')
    .requiredOption('--name <name>', 'what it is for, such as ci; the audit log calls its owner so')
    .addOption(
      new Option(
        '--role <role...>',
        'read: everything but balances; control: also start and stop; account: also balances; admin: all',
      )
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <time>', 'how long it is good, such as 12h or 90d, or never')
        .argParser(readLife)
        .default(YEAR_MS, '365d'),
    )
    .allowExcessArguments(false)
    .action((_own, command: Command) => {
      const { name, role, expires, ...all } = command.optsWithGlobals<Options>();
      flags = { command: 'create', name, roles: role, lifeMs: expires, dataDir: settingsOf(all).data_dir };
    });
  program
    .command('list')
    .description('lists the tokens there are, without what is secret')
    .allowExcessArguments(false)
    .action((_own, command: Command) => {
      flags = { command: 'list', dataDir: settingsOf(command.optsWithGlobals<Options>()).data_dir };
    });
  program
    .command('revoke')
    .argument('<name-or-id>', 'as `list` shows it')
    .description('takes a token back; what it has open at a server is ended')
    .allowExcessArguments(false)
    .action((token: string, _own, command: Command) => {
      flags = { command: 'revoke', token, dataDir: settingsOf(command.optsWithGlobals<Options>()).data_dir };
    });
  program.parse(argv, { from: 'user' });
  if (flags === null) throw new Error('Commander ran no command');
  return flags;
}

await runClientCommand(readFlags, (flags, { clock, print }) =>
  runToken(flags, { clock, print, note: (line) => console.error(line) }),
);
