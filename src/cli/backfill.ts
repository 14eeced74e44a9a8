import { Command, CommanderError } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { watchParent } from '../runtime/parent-watch.ts';
import { readAddress, readTime } from './arguments.ts';
import { type BackfillFlags, runBackfill } from './backfill-run.ts';
import { progressView } from './progress-view.ts';

/** `npm run backfill`: has a running server fetch trades of the past, and follows it. */

const USAGE_ERROR = 2;
const INTERRUPTED = 130;

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

try {
  const flags = readFlags(process.argv.slice(2));
  const interrupting = new AbortController();
  const interrupt = () => {
    if (interrupting.signal.aborted) process.exit(INTERRUPTED); // twice: not even politely
    interrupting.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  using _parent = watchParent(() => interrupting.abort());
  process.exitCode = await runBackfill(flags, {
    fetch: (url, init) => fetch(url, init),
    clock: systemClock,
    print: (line) => console.log(line),
    view: progressView(process.stdout, systemClock),
    interrupted: interrupting.signal,
  });
} catch (thrown) {
  if (!(thrown instanceof CommanderError)) throw thrown;
  process.exitCode = thrown.exitCode === 0 ? 0 : USAGE_ERROR;
}
