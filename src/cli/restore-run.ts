import { restoreBackup } from '../backup/restore-backup.ts';
import type { Config } from '../config/config.ts';
import { type BackupSurroundings, commonOf, findBackup, holds, reporting } from './backup-run.ts';

export interface RestoreFlags {
  readonly config: Config;
  /** Name or path; null for the newest verified one. */
  readonly file: string | null;
  readonly replace: boolean;
}

/** Returns the exit code: 0 when the backup is in place, 1 when it failed, 78 for a configuration that is wrong, 130 after Ctrl-C; then nothing was changed. */
export const runRestore = ({ config, file, replace }: RestoreFlags, around: BackupSurroundings): Promise<number> =>
  reporting('restore', around, async () => {
    const path = await findBackup(config, file, (all) => all.find(({ verifiedAt }) => verifiedAt !== null) ?? all[0]);
    const tables = {
      marketData: config.tables.market_data,
      rawTrades: config.tables.raw_trades,
      collectorStatus: config.tables.collector_status,
    };
    const { manifest, kept } = await restoreBackup({ ...commonOf(config, around), path, replace, tables });
    around.view.stop();
    around.print(`${path}: ${holds(manifest)} are back.`);
    if (kept !== null) around.print(`What was there before is kept as ${kept}; remove it when you are sure.`);
    around.print('Start the server: it goes on from there, and fetches what the exchanges traded since.');
  });
