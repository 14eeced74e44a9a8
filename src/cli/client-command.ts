import { CommanderError } from 'commander';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { watchParent } from '../runtime/parent-watch.ts';
import { exitWith } from './exit-with.ts';
import { type ProgressView, progressView } from './progress-view.ts';

export const USAGE_ERROR = 2;
const INTERRUPTED = 130;

/** What a command is given that runs for a while and then ends. */
export interface ClientSurroundings {
  /** Shows our token: for requests to a server of ours alone. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  readonly print: (line: string) => void;
  readonly view: ProgressView;
  /** Aborted by Ctrl-C, when the terminal is closed, and when whoever started us is gone. */
  readonly interrupted: AbortSignal;
}

/** The token comes by the environment: other users of a machine can read arguments. */
function withToken(init: RequestInit, token = ''): RequestInit {
  if (token === '') return init;
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  return { ...init, headers };
}

/** Runs such a command: its exit code, or 2 for a command line nobody understands. */
export async function runClientCommand<Flags>(
  readFlags: (argv: readonly string[]) => Flags | Promise<Flags>,
  run: (flags: Flags, around: ClientSurroundings) => Promise<number>,
): Promise<void> {
  try {
    const flags = await readFlags(process.argv.slice(2));
    const interrupting = new AbortController();
    const interrupt = () => {
      if (interrupting.signal.aborted) process.exit(INTERRUPTED); // twice: not even politely
      interrupting.abort();
    };
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
    using _parent = watchParent(() => interrupting.abort());
    process.exitCode = await run(flags, {
      fetch: (url, init) => fetch(url, withToken(init, process.env.TCPD_TOKEN)),
      clock: systemClock,
      print: (line) => console.log(line),
      view: progressView(process.stdout, systemClock),
      interrupted: interrupting.signal,
    });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) exitWith(thrown);
    process.exitCode = thrown.exitCode === 0 ? 0 : USAGE_ERROR;
  }
}
