import { Command, CommanderError } from 'commander';
import { VERSION } from '../runtime/version.ts';

/** What the command line says; keys are absent where it says nothing. */
export interface Flags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly dataDir?: string;
  readonly databaseUrl?: string;
}

/** What the help of a command says that takes these flags. */
export interface CalledAs {
  /** What is typed before the flags, e.g. "npm start --". */
  readonly name: string;
  readonly description: string;
  /** What --config names. */
  readonly config: string;
  /** What is there without --data-dir. */
  readonly dataDir: string;
  /** What --database-url names. */
  readonly databaseUrl: string;
}

const START: CalledAs = {
  name: 'npm start --',
  description: 'TCP Dashboard: collects crypto market data and serves it as one GraphQL API.',
  config: 'configuration file, JSON (CONFIG_FILE)',
  dataDir: './data (DATA_DIR)',
  databaseUrl: 'PostgreSQL to use instead of the embedded one (DATABASE_URL, DATABASE_URL_FILE)',
};

/** The command line asked for help or the version (exit code 0) or cannot be understood (2); the message is what to print. */
export class CommandLineExit extends Error {
  override readonly name = 'CommandLineExit';
  readonly exitCode: 0 | 2;

  constructor(exitCode: 0 | 2, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Reads the arguments after the script's name.
 * @throws {CommandLineExit} for --help, --version and unknown or incomplete flags.
 */
export function readCommandLine(argv: readonly string[], called = START): Flags {
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  const command = new Command(called.name)
    .description(called.description)
    .version(VERSION)
    .option('--config <file>', called.config)
    .option('--host <host>', 'address to listen on, default 127.0.0.1 (HOST)')
    .option('--port <port>', 'port to listen on, 0 for any free one, default 4000 (PORT)')
    .option('--data-dir <directory>', `where the embedded database lives, default ${called.dataDir}`)
    .option('--database-url <url>', called.databaseUrl)
    .addHelpText('after', '\nFlags win over the environment variables in brackets, those over the configuration file.')
    .allowExcessArguments(false)
    .configureOutput({ writeOut: print, writeErr: print })
    .exitOverride();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const message = printed.trimEnd();
    throw error.exitCode === 0
      ? new CommandLineExit(0, message)
      : new CommandLineExit(2, `${message}\nSee ${called.name} --help`);
  }
  return command.opts<Flags>();
}
