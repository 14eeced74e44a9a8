import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { watchParent } from '../runtime/parent-watch.ts';
import { type BackfillFlags, runBackfill } from './backfill-run.ts';
import { progressView } from './progress-view.ts';

/** `npm run backfill`: has a running server fetch trades of the past, and follows it. */

const USAGE_ERROR = 2;
const INTERRUPTED = 130;

const time = (text: string): string => {
  if (/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(text) && !Number.isNaN(Date.parse(text)))
    return new Date(text).toISOString();
  throw new InvalidArgumentError('A time should be in UTC, such as 2026-01-31 or 2026-01-31T12:00:00Z.');
};

const address = (text: string): string => {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw new InvalidArgumentError('An address should be such as http://127.0.0.1:4000.');
};

const readFlags = (argv: readonly string[]): BackfillFlags =>
  new Command('npm run backfill --')
    .description(
      'Fetches the trades of a time that are not here, through a running server. Repeating fetches nothing twice.',
    )
    .requiredOption('--exchange <id>', 'such as okx')
    .requiredOption('--symbol <symbol>', 'canonical BASE-QUOTE, such as BTC-USDT')
    .requiredOption('--from <time>', 'exchange time in UTC, inclusive, such as 2026-01-31T12:00:00Z', time)
    .requiredOption('--to <time>', 'exclusive', time)
    .option('--dry-run', 'only say how many trades, requests and seconds it would take', false)
    .option('--url <url>', 'where the server listens', address, 'http://127.0.0.1:4000')
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
