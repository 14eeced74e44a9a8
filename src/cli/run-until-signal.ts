import type { App } from '../app.ts';
import { messageOf } from '../runtime/errors.ts';
import { watchParent } from '../runtime/parent-watch.ts';

/** What a supervisor allows before it kills. */
const DEADLINE_MS = 10_000;

/**
 * Starts a server and says where it listens; ends the process with 0 after a signal, when everything is closed, or nothing was opened yet.
 * A second signal ends it at once, and so does the deadline (exit 1).
 */
export async function runUntilSignal(
  start: (interrupted: AbortSignal) => Promise<App>,
  ready: (app: App) => void = () => {},
): Promise<void> {
  const stopped = Promise.withResolvers<{ readonly reason: string; readonly code: number }>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals > 1) process.exit(1);
    stopped.resolve({ reason: signal, code: 0 });
  };
  const interrupting = new AbortController();
  void stopped.promise.then(() => {
    setTimeout(() => process.exit(1), DEADLINE_MS).unref();
    interrupting.abort();
  });
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  process.on('SIGHUP', () => stopped.resolve({ reason: 'SIGHUP', code: 0 })); // the terminal is gone
  using _parent = watchParent((reason) => stopped.resolve({ reason, code: 0 }));

  const app = await start(interrupting.signal).catch((error: unknown) => {
    if (error === interrupting.signal.reason) process.exit(0);
    throw error;
  });
  const fail = (thrown: unknown) => {
    app.log.error('A failure nobody handled; stopping so that a supervisor can start afresh', {
      reason: messageOf(thrown),
      stack: thrown instanceof Error ? thrown.stack : undefined,
    });
    stopped.resolve({ reason: 'unhandled failure', code: 1 });
  };
  process.on('uncaughtException', fail).on('unhandledRejection', fail);
  console.log(`TCP Dashboard listening on ${app.url}`);
  ready(app);

  const { reason, code } = await stopped.promise;
  app.log.info('Stopping', { reason });
  await app[Symbol.asyncDispose]();
  process.exit(code);
}
