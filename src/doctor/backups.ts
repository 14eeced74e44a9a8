import { newestBackup } from '../backup/backup-job.ts';
import { canOpenOwn, encrypterOf } from '../backup/keys.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { checkDirectory } from './directories.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const HOUR_MS = 3_600_000;
/** Without a schedule a backup should be of the last day. */
const USUAL_HOURS = 24;
/** A backup takes its time, and one may fail. */
const LATE = 2;

/** Whether the database would come back. */
export async function checkBackups({ backup }: Config, clock: Clock): Promise<readonly Finding[]> {
  const { every_hours: hours, directory } = backup;
  const schedule =
    hours === null
      ? warn('backup-schedule', 'none', 'Set backup.every_hours, or run npm run backup by a timer of your own.')
      : ok('backup-schedule', `every ${hours} h`);
  const place = await checkDirectory('backup-directory', directory, { isPrivate: true, setting: 'backup.directory' });
  return [schedule, keysOf(backup), place, await ageOf(backup, clock)];
}

function keysOf(backup: Config['backup']): Finding {
  try {
    encrypterOf(backup);
  } catch (error) {
    const advice = 'Set BACKUP_PASSPHRASE_FILE, or backup.recipients to what age-keygen prints.';
    // Backups are a choice until one is asked for.
    const none = backup.recipients.length === 0 && backup.passphrase === null;
    return (none ? warn : fail)('backup-keys', none ? 'none' : messageOf(error), advice);
  }
  if (canOpenOwn(backup)) return ok('backup-keys', 'what is encrypted can be opened here');
  const advice = 'Run npm run backup -- verify where the identity is: a backup counts only after that.';
  return warn('backup-keys', 'there are recipients and no identity: what is made here cannot be verified here', advice);
}

async function ageOf(backup: Config['backup'], clock: Clock): Promise<Finding> {
  const hours = backup.every_hours ?? USUAL_HOURS;
  const bad = backup.every_hours === null ? warn : fail;
  const advice =
    backup.every_hours === null
      ? 'Run npm run backup.'
      : 'Run npm run backup, and look in the log for what keeps them from being made.';
  try {
    const newest = await newestBackup({ directory: backup.directory, keys: backup });
    if (newest === null) return bad('backup-age', `no backup that counts in ${backup.directory}`, advice);
    const age = (clock.now() - newest) / HOUR_MS;
    const found = `the newest that counts is of ${new Date(newest).toISOString()}, ${age.toFixed(1)} h ago`;
    if (age < 0) return bad('backup-age', found, 'Set the clock of this machine.');
    return age > hours * LATE ? bad('backup-age', found, advice) : ok('backup-age', found);
  } catch (error) {
    return fail('backup-age', `${backup.directory} cannot be read: ${messageOf(error)}`, 'See backup-directory.');
  }
}
