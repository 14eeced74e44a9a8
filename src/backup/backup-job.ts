import { listBackups, prune, type Retention } from './catalog.ts';
import { canOpenOwn } from './keys.ts';
import { verifyBackup } from './restore-backup.ts';
import { type Backup, type BackupOptions, takeBackup } from './take-backup.ts';

export interface JobOptions extends BackupOptions {
  readonly retention: Retention;
  /** Restore it into a scratch database and compare, where the keys allow it. */
  readonly verify: boolean;
}

export interface JobOutcome extends Backup {
  readonly verified: boolean;
  /** Names of the old ones that were removed. */
  readonly pruned: readonly string[];
}

/** Makes a backup, sees that it comes back the same, and lets old ones go; one that does not come back the same pushes out none that did. */
export async function runBackupJob(options: JobOptions): Promise<JobOutcome> {
  const { directory, retention, keys, place } = options;
  const backup = await takeBackup(options);
  const verified = options.verify && canOpenOwn(keys);
  const letGo = () => prune(directory, retention, place.clock.now());
  try {
    if (verified) await verifyBackup({ ...options, path: backup.path });
  } catch (error) {
    await letGo(); // or failures would fill the disk
    throw error;
  }
  return { ...backup, verified, pruned: await letGo() };
}

/** When the newest backup that counts was made, ms: verified, where the keys allow it. Null without one. */
export async function newestBackup({
  directory,
  keys,
}: Pick<JobOptions, 'directory' | 'keys'>): Promise<number | null> {
  const all = await listBackups(directory);
  const newest = all.find(({ verifiedAt }) => verifiedAt !== null || !canOpenOwn(keys));
  return newest === undefined ? null : Date.parse(newest.takenAt);
}
