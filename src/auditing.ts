import { join } from 'node:path';
import type { Clock } from './runtime/clock.ts';
import { messageOf } from './runtime/errors.ts';
import type { Log } from './runtime/log.ts';
import { type AuditEntry, auditedUpTo, insertAudit } from './storage/audit.ts';
import type { Database } from './storage/database.ts';
import { openEventLog } from './storage/event-log.ts';

/** Entries in one statement. */
const BATCH = 100;
const RETRY_MS = 1_000;

export interface Audit extends Disposable {
  /** Cheap, never waits. */
  append(entry: AuditEntry): void;
}

/**
 * Entries are on the disk first, the newest 10,000 of them, and go to the database as soon as it takes them: they outlive both a
 * database that is away and the process.
 * @throws {AppError} SPOOL_UNAVAILABLE when the directory cannot be written.
 */
export function openAudit(db: Database, dataDir: string, { clock, log }: { clock: Clock; log: Log }): Audit {
  const entries = openEventLog<AuditEntry>(join(dataDir, 'audit'), { clock, log });
  const closing = new AbortController();
  let isMoving = false;
  let hasFailed = false;
  let moved: number | null = null;

  const move = async (): Promise<void> => {
    moved ??= await auditedUpTo(db, entries.id);
    for (let next = entries.after(moved, BATCH); next.length > 0; next = entries.after(moved, BATCH)) {
      await insertAudit(db, entries.id, next);
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
  const listening = entries.onEvent(() => void run());
  void run();
  return {
    append: (entry) => entries.append(entry),
    [Symbol.dispose]() {
      closing.abort();
      listening[Symbol.dispose]();
      entries[Symbol.dispose]();
    },
  };
}
