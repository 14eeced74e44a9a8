import { chmod, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { makePrivateDirectory } from '../../runtime/private-directory.ts';

/** The name every Postgres client expects of a socket in a directory. */
const SOCKET_NAME = '.s.PGSQL.5432';
/** The shortest limit among the platforms (macOS), without the closing zero byte. */
const LONGEST_SOCKET_PATH = 103;

/** The embedded database's files inside the data directory. */
export const clusterDir = (dataDir: string): string => join(dataDir, 'postgres');
/** Where a cluster is made before it gets its name: whatever carries the name is whole. */
export const unfinishedDir = (dataDir: string): string => join(dataDir, 'postgres.unfinished');

/**
 * Makes the directory, for its owner only; an existing one is narrowed to that.
 * @throws {AppError} CONFIG_INVALID when it cannot be made or is not ours.
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    makePrivateDirectory(dataDir);
    await chmod(dataDir, 0o700);
  } catch (error) {
    const message = `The data directory ${dataDir} cannot be used (${messageOf(error)}); choose another with --data-dir`;
    throw new AppError('CONFIG_INVALID', message, { cause: error });
  }
}

/** Whether a cluster is there. A half-made one of an interrupted start is set aside, not deleted. */
export async function findCluster(dataDir: string, now: number, log: Log): Promise<boolean> {
  const leftover = unfinishedDir(dataDir);
  if (await exists(leftover)) {
    const aside = `${leftover}-${new Date(now).toISOString().replace(/[:.]/g, '-')}-${(await readdir(dataDir)).length}`;
    await rename(leftover, aside);
    log.warn('An earlier start was interrupted while it made the database; its files were set aside', { aside });
  }
  return exists(clusterDir(dataDir));
}

export interface SocketPlace extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
}

/** In the data directory where its path is short enough for a socket, else in a temporary directory of our own. */
export async function chooseSocket(dataDir: string): Promise<SocketPlace> {
  const fits = Buffer.byteLength(join(dataDir, SOCKET_NAME)) <= LONGEST_SOCKET_PATH;
  const directory = fits ? dataDir : await mkdtemp(join(tmpdir(), 'tcp-dashboard-'));
  const path = join(directory, SOCKET_NAME);
  return {
    directory,
    path,
    [Symbol.asyncDispose]: () => (fits ? rm(path, { force: true }) : rm(directory, { recursive: true, force: true })),
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
