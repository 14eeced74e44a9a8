import { chmodSync, closeSync, fchownSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../runtime/clock.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import { ownerFor } from '../../runtime/left-to-owner.ts';

/** A dying owner gets this long to let go; the refusal still comes within a second. */
const PATIENCE_MS = 700;
const RETRY_MS = 50;

/** The file whose lock it is. */
export const lockOf = (dataDir: string): string => join(dataDir, 'server.lock');

/** Held by at most one process; the kernel frees it when that process dies, however it dies. */
export class DataDirLock implements Disposable {
  readonly #file: DatabaseSync;
  readonly #pidFile: string;

  private constructor(file: DatabaseSync, pidFile: string) {
    this.#file = file;
    this.#pidFile = pidFile;
  }

  /** @throws {AppError} DATA_DIR_IN_USE naming the owner's pid; `advice` says what to do about it. */
  static async take(
    dataDir: string,
    clock: Clock,
    advice = 'Stop it, or choose another --data-dir.',
  ): Promise<DataDirLock> {
    const pidFile = join(dataDir, 'server.pid');
    const lockFile = lockOf(dataDir);
    const deadline = clock.monotonic() + PATIENCE_MS;
    leaveToOwner(dataDir);
    for (;;) {
      // An open exclusive transaction of SQLite is a kernel lock on its file, on every platform Node runs on.
      const file = new DatabaseSync(lockFile);
      try {
        file.exec('begin exclusive');
        chmodSync(lockFile, 0o600);
        writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
        return new DataDirLock(file, pidFile);
      } catch (error) {
        file.close();
        if (!/locked|busy/i.test(messageOf(error))) throw error;
      }
      if (clock.monotonic() >= deadline)
        throw new AppError(
          'DATA_DIR_IN_USE',
          `The data directory ${dataDir} is in use by process ${owner(pidFile)}. ${advice}`,
        );
      await clock.sleep(RETRY_MS);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#pidFile, { force: true });
    this.#file.close();
  }
}

/** Root makes the file for whoever the directory belongs to, or the service could never take the lock after it. */
function leaveToOwner(dataDir: string): void {
  const owner = ownerFor(dataDir);
  if (owner === null) return;
  try {
    const made = openSync(lockOf(dataDir), 'wx', 0o600);
    fchownSync(made, owner.uid, owner.gid);
    closeSync(made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function owner(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
