import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, messageOf } from '../../runtime/errors.ts';
import { giveTree, ownerFor } from '../../runtime/left-to-owner.ts';
import type { Log } from '../../runtime/log.ts';
import { makePrivateDirectory } from '../../runtime/private-directory.ts';

/** The name every Postgres client expects of a socket in a directory. */
const SOCKET_NAME = '.s.PGSQL.5432';
/** The shortest limit among the platforms (macOS), without the closing zero byte. */
const LONGEST_SOCKET_PATH = 103;

/** The embedded database's files inside the data directory. */
export const clusterDir = (dataDir: string): string => join(dataDir, 'postgres');
/** A restored cluster that is whole and about to take the place of the present one. */
const restoredDir = (dataDir: string): string => join(dataDir, 'postgres.restored');
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

/** Whether a cluster is there. A half-made one of an interrupted start is set aside, not deleted; an interrupted exchange is finished. */
export async function findCluster(dataDir: string, now: number, log: Log): Promise<boolean> {
  const leftover = unfinishedDir(dataDir);
  if (await exists(leftover)) {
    const aside = `${leftover}-${new Date(now).toISOString().replace(/[:.]/g, '-')}-${(await readdir(dataDir)).length}`;
    await rename(leftover, aside);
    log.warn('An earlier start was interrupted while it made the database; its files were set aside', { aside });
  }
  const cluster = clusterDir(dataDir);
  if (!(await exists(cluster)) && (await exists(restoredDir(dataDir)))) await rename(restoredDir(dataDir), cluster);
  return exists(cluster);
}

export const hasCluster = (dataDir: string): Promise<boolean> => exists(clusterDir(dataDir));

/**
 * Puts a closed cluster in the place of the present one, which is kept under the name that is returned. Needs the directory's lock.
 * One that root restored is given to the directory's owner, or his server could not open it.
 */
export async function exchangeCluster(dataDir: string, restored: string, now: number): Promise<string | null> {
  const [cluster, ready] = [clusterDir(dataDir), restoredDir(dataDir)];
  const owner = ownerFor(dataDir);
  if (owner !== null) await giveTree(restored, owner);
  await rm(ready, { recursive: true, force: true });
  await rename(restored, ready);
  let kept: string | null = null;
  if (await exists(cluster)) {
    kept = `${cluster}.until-${new Date(now).toISOString().slice(0, 19).replace(/:/g, '-')}Z`;
    await rename(cluster, kept);
  }
  await rename(ready, cluster); // should we die before it, the next start does it
  return kept;
}

/** Names the socket's directory for programs beside the server. */
const socketNote = (dataDir: string): string => join(dataDir, 'server.socket');

/** The directory of a running server's socket. @throws when none has been noted. */
export const readSocketDirectory = (dataDir: string): Promise<string> => readFile(socketNote(dataDir), 'utf8');

export interface SocketPlace extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
}

/** In the data directory where its path is short enough for a socket, else in a temporary directory of our own. */
export async function chooseSocket(dataDir: string): Promise<SocketPlace> {
  const fits = Buffer.byteLength(join(dataDir, SOCKET_NAME)) <= LONGEST_SOCKET_PATH;
  const directory = fits ? dataDir : await mkdtemp(join(tmpdir(), 'tcp-dashboard-'));
  const path = join(directory, SOCKET_NAME);
  await writeFile(socketNote(dataDir), directory, { mode: 0o600 });
  return {
    directory,
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(socketNote(dataDir), { force: true });
      await (fits ? rm(path, { force: true }) : rm(directory, { recursive: true, force: true }));
    },
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
