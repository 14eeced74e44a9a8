import { join } from 'node:path';
import { FailureLimit } from './access/failure-limit.ts';
import type { AuditLog } from './graphql/context.ts';
import type { Clock } from './runtime/clock.ts';
import { AppError, messageOf } from './runtime/errors.ts';
import type { Log } from './runtime/log.ts';
import { type AuditEntry, type AuditEvent, auditedUpTo, keepAudit } from './storage/audit.ts';
import type { Database } from './storage/database.ts';
import { openEventLog } from './storage/event-log.ts';

/** Entries in one statement. */
const BATCH = 100;
const RETRY_MS = 1_000;
/** Refused mutations that are listed: of an address within a minute, and of all within an hour, or strangers would fill the disk. */
const MOST_REFUSED = 5;
const MOST_REFUSED_OF_ALL = 300;
const HOUR_MS = 3_600_000;
const ALL = 'all';

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Entries are on the disk first, the newest 10,000 of them, and go to the database as soon as it takes them: they outlive both a
 * database that is away and the process. What is refused waits in a log of its own, so that it pushes nothing out that was done.
 * @throws {AppError} SPOOL_UNAVAILABLE when the directory cannot be written.
 */
export function openAudit(db: Database, dataDir: string, ports: Ports): AuditLog & Disposable {
  using opening = new DisposableStack();
  const done = opening.use(openMovingLog(db, join(dataDir, 'audit'), ports));
  const refused = opening.use(openMovingLog(db, join(dataDir, 'audit', 'refused'), ports));
  const ofAddress = new FailureLimit(ports.clock, MOST_REFUSED);
  const ofAll = new FailureLimit(ports.clock, MOST_REFUSED_OF_ALL, HOUR_MS);
  const mayList = (address: string) => ofAddress.waitOf(address) <= 0 && ofAll.waitOf(ALL) <= 0;
  let unlisted = 0;
  const open = opening.move();
  return {
    begin(entry) {
      const of = done.appendNow({ ...entry, outcome: 'UNKNOWN' });
      return (outcome) => done.append({ of, outcome });
    },
    mayList,
    refuse(entry) {
      if (!mayList(entry.address)) return this.leaveOut();
      ofAddress.add(entry.address);
      ofAll.add(ALL);
      refused.append({ ...entry, outcome: 'REFUSED' });
    },
    leaveOut() {
      unlisted += 1;
    },
    get unlisted() {
      return unlisted;
    },
    [Symbol.dispose]: () => open[Symbol.dispose](),
  };
}

interface MovingLog extends Disposable {
  append(event: AuditEvent): void;
  /** On the disk when it returns, with its number in the log. @throws {AppError} AUDIT_UNAVAILABLE when the disk takes none. */
  appendNow(event: AuditEntry): number;
}

/** A log on the disk whose events go to the database. */
function openMovingLog(db: Database, directory: string, { clock, log }: Ports): MovingLog {
  const events = openEventLog<AuditEvent>(directory, { clock, log });
  const closing = new AbortController();
  let isMoving = false;
  let hasFailed = false;
  let moved: number | null = null;

  const move = async (): Promise<void> => {
    moved ??= await auditedUpTo(db, events.id);
    for (let next = events.after(moved, BATCH); next.length > 0; next = events.after(moved, BATCH)) {
      await keepAudit(db, events.id, next);
      moved = next.at(-1)?.number ?? moved;
    }
  };
  const run = async (): Promise<void> => {
    if (isMoving || closing.signal.aborted) return;
    isMoving = true;
    try {
      await move();
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) log.warn('The audit log waits for the database', { reason: messageOf(error) });
      hasFailed = true;
      clock.sleep(RETRY_MS, closing.signal).then(run, () => {});
    } finally {
      isMoving = false;
    }
  };
  const listening = events.onEvent(() => void run());
  void run();
  return {
    append: (event) => events.append(event),
    appendNow(event) {
      try {
        return events.appendNow(event);
      } catch (error) {
        const reason = messageOf(error);
        log.error('The audit log takes no entry, so nothing is done', { directory, reason });
        throw new AppError('AUDIT_UNAVAILABLE', `Nothing was done: the audit log takes no entry (${reason})`, {
          cause: error,
        });
      }
    },
    [Symbol.dispose]() {
      closing.abort();
      listening[Symbol.dispose]();
      events[Symbol.dispose]();
    },
  };
}
