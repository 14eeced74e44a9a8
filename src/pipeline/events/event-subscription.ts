import { AppError } from '../../runtime/errors.ts';
import { PullStream } from '../stream/pull-stream.ts';
import type { Stream } from '../stream/stream.ts';
import type { EventLog, LoggedEvent } from './event-log.ts';

/** An event, and how many before it were no longer kept when the client read on. */
export interface FollowedEvent<T> extends LoggedEvent<T> {
  readonly missed: number;
}

const PAGE = 100;
/** Events looked at in one turn of the event loop. */
const SCAN_LIMIT = 1_000;

/**
 * Events of a log that match, after a number or (null) from now on, each once and in order. Nothing is buffered for the client but its place.
 * @throws {AppError} CURSOR_EXPIRED when what follows `after` is no longer kept, CURSOR_INVALID when it lies ahead.
 */
export function followEvents<T>(
  log: EventLog<T>,
  after: number | null,
  matches: (event: T) => boolean,
): Stream<FollowedEvent<T>> {
  if (after !== null && after > log.newest)
    throw new AppError(
      'CURSOR_INVALID',
      'The cursor is ahead of everything this server ever told; use it as it was given',
    );
  if (after !== null && after < log.oldest - 1)
    throw new AppError(
      'CURSOR_EXPIRED',
      'Events after the cursor are no longer kept; query `collectors` for their state and subscribe without `after`',
    );
  let place = after ?? log.newest;
  const pull = (): FollowedEvent<T> | null => {
    const missed = Math.max(0, log.oldest - 1 - place);
    place += missed;
    for (let scanned = 0; scanned < SCAN_LIMIT; ) {
      const page = log.after(place, PAGE);
      for (const logged of page) {
        place = logged.number;
        if (matches(logged.event)) return { ...logged, missed };
      }
      if (page.length === 0) return null;
      scanned += page.length;
    }
    setImmediate(() => stream.wake());
    return null;
  };
  const stream = new PullStream<FollowedEvent<T>>({ pull, close: () => listening[Symbol.dispose]() });
  const listening = log.onEvent(() => stream.wake());
  return stream;
}
