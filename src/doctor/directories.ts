import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import { DataDirLock, lockOf } from '../storage/embedded/data-dir-lock.ts';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';

const MB = 1_000_000;
/** Below it a database stops within hours. */
const LEAST_FREE = 500 * MB;

/** Bytes a path's file system has left for us; the seam tests fill a disk through. */
export type FreeBytes = (path: string) => Promise<number>;

export const freeBytes: FreeBytes = async (path) => {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
};

/** Whether files can be made in a directory, or it can be made, and whether nobody else can read what should be private. */
export async function checkDirectory(
  check: Check,
  directory: string,
  { isPrivate, setting }: { readonly isPrivate: boolean; readonly setting: string },
): Promise<Finding> {
  const found = await stat(directory).catch(() => null);
  try {
    if (found === null) {
      await access(`${await nearestParent(directory)}/.`, constants.W_OK | constants.X_OK);
      return ok(check, `${directory} is not there yet and can be made`);
    }
    if (!found.isDirectory()) return fail(check, `${directory} is no directory`, `Name another by ${setting}.`);
    await rm(await mkdtemp(join(directory, '.doctor-')), { recursive: true });
  } catch (error) {
    const advice = `Let the user that runs the server own it (chown), or name another by ${setting}.`;
    return fail(check, `${directory} cannot be written: ${messageOf(error)}`, advice);
  }
  if (!isPrivate) return ok(check, `${directory} can be written`);
  const asker = process.getuid?.();
  if (asker !== undefined && found.uid !== asker) {
    const advice = 'Ask as the user that runs the server: only then the answers are its own.';
    return warn(check, `${directory} belongs to user ${found.uid}, and user ${asker} asks`, advice);
  }
  const open = await openFiles(directory);
  const mode = (found.mode & 0o777).toString(8);
  if ((found.mode & 0o077) !== 0)
    return warn(check, `${directory} has mode ${mode}`, `Close it to others: chmod 700 ${directory}`);
  if (open.length === 0) return ok(check, `${directory} can be written and is closed to others (${mode})`);
  return warn(check, `${open[0]} can be read by others`, `Close it to others: chmod -R go= ${directory}`);
}

/** Files of the first level that others may read. */
async function openFiles(directory: string): Promise<readonly string[]> {
  const open: string[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => null); // gone meanwhile: a server is at work
    if (found?.isFile() && (found.mode & 0o077) !== 0) open.push(path);
  }
  return open;
}

async function nearestParent(path: string): Promise<string> {
  const parent = dirname(path);
  const found = await stat(parent).catch(() => null);
  return found === null && parent !== path ? nearestParent(parent) : parent;
}

/** Who is at work on a data directory: nobody keeps the lock that is taken for a moment here. */
export async function checkOwner(dataDir: string, clock: Clock): Promise<Finding> {
  // Not there yet: a lock made here would be ours, and the server perhaps another user's.
  const known = await stat(lockOf(dataDir)).catch((error: NodeJS.ErrnoException) => error.code);
  if (known === 'ENOENT') return ok('data-directory-owner', 'nobody');
  try {
    using _lock = await DataDirLock.take(dataDir, clock);
    return ok('data-directory-owner', 'nobody');
  } catch (error) {
    if (error instanceof AppError && error.code === 'DATA_DIR_IN_USE') {
      const owner = /process (\d+)/.exec(error.message)?.[1] ?? 'unknown';
      return ok('data-directory-owner', `a server at work, process ${owner}; a second one would not start`);
    }
    return fail(
      'data-directory-owner',
      `the lock cannot be taken: ${messageOf(error)}`,
      `See what data-directory says.`,
    );
  }
}

/** Whether the file systems of these directories have room; `wanted` is what may be written at once, in bytes. */
export async function checkDisk(
  places: readonly { readonly of: string; readonly directory: string; readonly wanted: number }[],
  free: FreeBytes,
): Promise<readonly Finding[]> {
  return Promise.all(places.map((place) => diskOf(place, free)));
}

async function diskOf(
  { of, directory, wanted }: { readonly of: string; readonly directory: string; readonly wanted: number },
  free: FreeBytes,
): Promise<Finding> {
  const existing = (await stat(directory).catch(() => null)) === null ? await nearestParent(directory) : directory;
  const left = await free(existing);
  const found = `${Math.floor(left / MB)} MB are free at ${directory}`;
  const advice = `Free room or move it to a larger disk: up to ${Math.ceil(wanted / MB)} MB may be wanted at once.`;
  if (left < Math.min(LEAST_FREE, wanted)) return fail('disk', found, advice, of);
  return left < wanted ? warn('disk', found, advice, of) : ok('disk', found, of);
}
