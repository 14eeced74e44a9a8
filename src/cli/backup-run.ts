import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runBackupJob } from '../backup/backup-job.ts';
import { type Listed, listBackups } from '../backup/catalog.ts';
import type { Manifest } from '../backup/manifest.ts';
import { verifyBackup } from '../backup/restore-backup.ts';
import type { OnProgress } from '../backup/take-backup.ts';
import type { Config } from '../config/config.ts';
import { configExit } from '../config/exit.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import { silentLog } from '../runtime/log.ts';
import type { Place } from '../storage/backup/places.ts';
import { count, size } from './amounts.ts';
import type { ClientSurroundings } from './client-command.ts';

export type BackupFlags = { readonly config: Config } & (
  | { readonly command: 'make'; readonly verify: boolean }
  | { readonly command: 'verify'; readonly file: string | null }
  | { readonly command: 'list' }
);

/** What is on this machine needs no server. */
export type BackupSurroundings = Omit<ClientSurroundings, 'fetch'>;

const INTERRUPTED = 130;

/** Returns the exit code: 0 when it is done, 1 when it failed, 78 for a configuration that is wrong, 130 after Ctrl-C; then nothing of it is left. */
export const runBackup = (flags: BackupFlags, around: BackupSurroundings): Promise<number> =>
  reporting('backup', around, () => {
    switch (flags.command) {
      case 'make':
        return make(flags, around);
      case 'verify':
        return verify(flags, around);
      case 'list':
        return list(flags.config, around);
      default:
        return flags satisfies never;
    }
  });

/** Runs the work; what goes wrong becomes one line and an exit code. */
export async function reporting(
  name: string,
  { print, view, interrupted }: BackupSurroundings,
  work: () => Promise<void>,
): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    view.stop();
    const reason = error instanceof AppError ? `${error.code}: ${error.message}` : messageOf(error);
    print(interrupted.aborted ? `${name}: interrupted; nothing was changed` : `${name}: ${reason}`);
    return interrupted.aborted ? INTERRUPTED : (configExit(error)?.code ?? 1);
  }
}

async function make(
  { config, verify: wanted }: BackupFlags & { readonly command: 'make' },
  around: BackupSurroundings,
): Promise<void> {
  const { print, view, clock } = around;
  const begun = clock.monotonic();
  const { keep, keep_days: keepDays, directory } = config.backup;
  const { path, entry, verified, pruned } = await runBackupJob({
    ...commonOf(config, around),
    ...{ directory, retention: { keep, keepDays }, verify: wanted },
  });
  view.stop();
  print(`${path}: ${holds(entry)}, ${size(entry.bytes)}, ${((clock.monotonic() - begun) / 1_000).toFixed(1)} s.`);
  print(verified ? VERIFIED : `It does not count yet: run npm run backup -- verify where ${missingKey(config)} is.`);
  for (const file of pruned) print(`Removed ${file}: beyond backup.keep or backup.keep_days.`);
}

async function verify(
  { config, file }: BackupFlags & { readonly command: 'verify' },
  around: BackupSurroundings,
): Promise<void> {
  const path = await findBackup(config, file);
  const manifest = await verifyBackup({ ...commonOf(config, around), path });
  around.view.stop();
  around.print(`${path}: ${holds(manifest)}.`);
  around.print(VERIFIED);
}

async function list({ backup: { directory } }: Config, { print }: BackupSurroundings): Promise<void> {
  const all = await listBackups(directory);
  if (all.length === 0) print(`There are no backups in ${directory}; npm run backup makes one.`);
  for (const one of all) print(lineOf(one));
}

const lineOf = ({ file, bytes, verifiedAt, entry }: Listed): string =>
  `${file}  ${holds(entry)}, ${size(bytes)}, ${verifiedAt === null ? 'NOT verified: does not count' : `verified ${verifiedAt}`}`;

const VERIFIED = 'Verified: it was restored into a scratch database, and every table is the same.';

/** The path of a backup that is named by its path, its name or not at all; `preferred` says of all, newest first, which is meant then. */
export async function findBackup(
  { backup: { directory } }: Config,
  file: string | null,
  preferred: (all: readonly Listed[]) => Listed | undefined = ([newest]) => newest,
): Promise<string> {
  if (file !== null) {
    const path = [resolve(file), join(directory, file)].find((one) => existsSync(one));
    if (path !== undefined) return path;
    throw new AppError(
      'BACKUP_REFUSED',
      `There is no backup ${file}, also not in ${directory}; see npm run backup -- list`,
    );
  }
  const found = preferred(await listBackups(directory));
  if (found !== undefined) return found.path;
  throw new AppError('BACKUP_REFUSED', `There is no backup in ${directory}; npm run backup makes one`);
}

/** What reading and writing backups needs of a configuration. */
export function commonOf(config: Config, { clock, view, interrupted }: BackupSurroundings) {
  const { recipients, passphrase, identity } = config.backup;
  const place: Place = { url: config.database.url?.reveal() ?? null, dataDir: config.data_dir, clock, log: silentLog };
  const onProgress: OnProgress = ({ done, total, note }) =>
    view.show({ done: BigInt(done), total: BigInt(total), note });
  return { place, keys: { recipients, passphrase, identity }, onProgress, interrupted };
}

/** What is in it, up to where. */
export function holds({ tables, newestTrade, takenAt }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${count(rows)} rows of ${takenAt}${newestTrade === null ? '' : `, trades up to ${newestTrade}`}`;
}

const missingKey = ({ backup: { recipients } }: Config): string =>
  recipients.length > 0 ? 'BACKUP_IDENTITY' : 'BACKUP_PASSPHRASE';
