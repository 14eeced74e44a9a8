import { newestBackup } from './backup/backup-job.ts';
import { BackupSchedule, backUpInThread } from './backup/backup-schedule.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';

const HOUR_MS = 3_600_000;

/**
 * Backups as often as the configuration asks for them; null when it does not.
 * @throws {AppError} CONFIG_INVALID when its keys are none.
 */
export function openBackupSchedule(config: Config, clock: Clock, log: Log): BackupSchedule | null {
  const { every_hours: hours, directory, keep, keep_days: keepDays, recipients, passphrase, identity } = config.backup;
  if (hours === null) return null;
  const plan = {
    ...{ url: config.database.url?.reveal() ?? null, dataDir: config.data_dir },
    ...{ directory, recipients, retention: { keep, keepDays } },
    ...{ passphrase: passphrase?.reveal() ?? null, identity: identity?.reveal() ?? null },
  };
  const keys = { recipients, passphrase, identity };
  return new BackupSchedule({
    ...{ everyMs: hours * HOUR_MS, keys, clock, log },
    newest: () => newestBackup({ directory, keys }),
    run: (stop) => backUpInThread(plan, stop),
  });
}
