import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../runtime/clock.ts';
import { AppError, type ErrorCode, messageOf } from '../runtime/errors.ts';
import { silentLog } from '../runtime/log.ts';
import { Secret } from '../runtime/secret.ts';
import { runBackupJob } from './backup-job.ts';
import type { Retention } from './catalog.ts';

/** What the thread is told at its start; secrets as they are, since only plain values come over. */
export interface BackupPlan {
  readonly url: string | null;
  readonly dataDir: string;
  readonly directory: string;
  readonly recipients: readonly string[];
  readonly passphrase: string | null;
  readonly identity: string | null;
  readonly retention: Retention;
}

export type BackupAnswer =
  | {
      readonly path: string;
      readonly rows: number;
      readonly bytes: number;
      readonly verified: boolean;
      readonly pruned: readonly string[];
    }
  | { readonly code: ErrorCode | null; readonly message: string };

// Compressing and encrypting keep a processor busy: not the one that collects.
const { url, dataDir, directory, recipients, passphrase, identity, retention } = workerData as BackupPlan;
const secret = (text: string | null) => (text === null ? null : new Secret(text));

async function work(): Promise<BackupAnswer> {
  try {
    const { path, entry, verified, pruned } = await runBackupJob({
      place: { url, dataDir, clock: systemClock, log: silentLog },
      keys: { recipients, passphrase: secret(passphrase), identity: secret(identity) },
      ...{ directory, retention, verify: true, onProgress: () => {}, interrupted: new AbortController().signal },
    });
    const rows = entry.tables.reduce((sum, table) => sum + table.rows, 0);
    return { path, rows, bytes: entry.bytes, verified, pruned };
  } catch (error) {
    return { code: error instanceof AppError ? error.code : null, message: messageOf(error) };
  }
}

parentPort?.postMessage(await work());
