import { Command, Option } from 'commander';
import { EXPORT_FORMATS, EXPORT_TYPES } from '../export/request.ts';
import { CANDLE_INTERVALS } from '../market/candle-window.ts';
import { readAddress, readTime } from './arguments.ts';
import { runClientCommand, USAGE_ERROR } from './client-command.ts';
import { type ExportFlags, runExport } from './export-run.ts';

/** `npm run export`: writes trades or candles of a running server into a file, with a manifest of what is proven of them. */

const command = new Command('npm run export --')
  .description(
    'Writes trades or candles of a running server into a file, and beside it what is proven of them and what is missing.',
  )
  .requiredOption('--exchange <id>', 'such as okx')
  .requiredOption('--symbol <symbol>', 'canonical BASE-QUOTE, such as BTC-USDT')
  .addOption(new Option('--type <type>', 'what').choices(EXPORT_TYPES).makeOptionMandatory())
  .addOption(new Option('--interval <interval>', 'length of a candle').choices(CANDLE_INTERVALS))
  .requiredOption(
    '--from <time>',
    'in UTC, such as 2026-01-31T12:00:00Z: trades from it on, candles that end after it',
    readTime,
  )
  .option('--to <time>', 'trades before it, candles that end by it; without it up to now', readTime)
  .addOption(new Option('--format <format>', 'of the file').choices(EXPORT_FORMATS).makeOptionMandatory())
  .option('--out <file>', 'where to write it; without it a name made of the above, in the current folder')
  .option('--force', 'replace files that are there', false)
  .option('--url <url>', 'where the server listens', readAddress, 'http://127.0.0.1:4000')
  .helpOption('--help', 'show this text')
  .allowExcessArguments(false)
  .showHelpAfterError('Run with --help for all options.')
  .exitOverride();

function readFlags(argv: readonly string[]): ExportFlags {
  const flags = command.parse(argv, { from: 'user' }).opts<ExportFlags>();
  if (flags.type === 'candles' && flags.interval === undefined)
    command.error('error: candles need --interval, such as --interval 1m', { exitCode: USAGE_ERROR });
  if (flags.type === 'trades' && flags.interval !== undefined)
    command.error('error: --interval is of candles', { exitCode: USAGE_ERROR });
  return flags;
}

await runClientCommand(readFlags, runExport);
