import { Command } from 'commander';
import { readAddress, readTime } from './arguments.ts';
import { type BackfillFlags, runBackfill } from './backfill-run.ts';
import { runClientCommand } from './client-command.ts';

/** `npm run backfill`: has a running server fetch trades of the past, and follows it. */

const readFlags = (argv: readonly string[]): BackfillFlags =>
  new Command('npm run backfill --')
    .description(
      'Fetches the trades of a time that are not here, through a running server. Repeating fetches nothing twice.',
    )
    .requiredOption('--exchange <id>', 'such as okx')
    .requiredOption('--symbol <symbol>', 'canonical BASE-QUOTE, such as BTC-USDT')
    .requiredOption('--from <time>', 'exchange time in UTC, inclusive, such as 2026-01-31T12:00:00Z', readTime)
    .requiredOption('--to <time>', 'exclusive', readTime)
    .option('--dry-run', 'only say how many trades, requests and seconds it would take', false)
    .option('--url <url>', 'where the server listens', readAddress, 'http://127.0.0.1:4000')
    .helpOption('--help', 'show this text')
    .allowExcessArguments(false)
    .showHelpAfterError('Run with --help for all options.')
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<BackfillFlags>();

await runClientCommand(readFlags, runBackfill);
