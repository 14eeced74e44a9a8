import { constants } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Connection } from '../connections.ts';
import { type Address, readDatabaseUrl } from '../database-url.ts';
import { clusterDir, exchangeCluster, hasCluster, prepareDataDir, readSocketDirectory } from '../embedded/data-dir.ts';
import { DataDirLock } from '../embedded/data-dir-lock.ts';
import { addressOf, EmbeddedServer } from '../embedded/embedded-server.ts';

/** Which database, and how what is done with it is timed and told. */
export interface Place {
  /** A `postgres://` URL; null for the embedded database in `dataDir`. */
  readonly url: string | null;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A connection without any bound in time, for work of minutes. */
export interface Opened extends AsyncDisposable {
  readonly connection: Connection;
}

const UNBOUNDED = { name: 'backup', statementMs: null, answerMs: null };
/** Well within the time after which the embedded database ends a silent transaction. */
const SIGN_OF_LIFE_MS = 2_000;

/**
 * A room of our own in the data directory, empty, for databases nobody but us looks at; emptied again at the end. One backup, check or
 * restore at a time works there.
 */
export async function openScratch(
  dataDir: string,
  clock: Clock,
): Promise<{ readonly directory: string } & AsyncDisposable> {
  await prepareDataDir(dataDir);
  const directory = join(dataDir, 'backup-scratch');
  await prepareDataDir(directory);
  const lock = await DataDirLock.take(directory, clock, 'It makes, verifies or restores a backup: wait until it has.');
  const clear = async () => {
    for (const name of await readdir(directory))
      if (!name.startsWith('server.')) await rm(join(directory, name), { recursive: true, force: true });
  };
  await clear(); // of one that was killed
  return {
    directory,
    [Symbol.asyncDispose]: async () => {
      await clear();
      lock[Symbol.dispose]();
    },
  };
}

/** A connection to read everything from, while a server may be at work. */
export async function openSource(place: Place, scratch: string): Promise<Opened> {
  if (place.url !== null) return connected(readDatabaseUrl(place.url));
  const copy = join(scratch, 'copy');
  await prepareDataDir(copy);
  await copyCluster(place, clusterDir(copy));
  return openEmbedded(copy, place);
}

/** An embedded database of its own in an empty directory. */
export async function openEmbedded(directory: string, { clock, log }: Place): Promise<Opened> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await EmbeddedServer.start(directory, clock, log));
  const { connection } = opening.use(await connected(server.address));
  const opened = opening.move();
  return { connection, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/**
 * A database to restore into. `keep` puts what was restored in the place of what was there, and names where that went; without it the
 * present data stays as it is.
 */
export interface Target extends Opened {
  keep(): Promise<string | null>;
}

/** @throws {AppError} DATA_DIR_IN_USE while a server runs, RESTORE_REFUSED when data is there that nobody said to replace. */
export async function openTarget(place: Place, scratch: string, replace: boolean): Promise<Target> {
  const { url, dataDir, clock } = place;
  if (url !== null) return { ...(await connected(readDatabaseUrl(url))), keep: () => Promise.resolve(null) };
  await using opening = new AsyncDisposableStack();
  opening.use(await DataDirLock.take(dataDir, clock));
  if (!replace && (await hasCluster(dataDir)))
    throw new AppError(
      'RESTORE_REFUSED',
      `The data directory ${dataDir} holds a database already: name an empty one with --data-dir, or keep it aside under another name with --replace`,
    );
  const fresh = join(scratch, 'restored');
  const opened = await openEmbedded(fresh, place);
  opening.use(opened);
  const all = opening.move();
  return {
    ...opened,
    keep: async () => {
      await opened[Symbol.asyncDispose](); // a closed cluster is whole
      return exchangeCluster(dataDir, clusterDir(fresh), clock.now());
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function connected(address: Address): Promise<Opened> {
  const connection = await Connection.open(address, UNBOUNDED);
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}

/** Copies the files of the embedded database as they are at one moment. Reading it row by row would keep its server waiting for much longer. */
async function copyCluster({ dataDir, clock }: Place, into: string): Promise<void> {
  if (!(await hasCluster(dataDir)))
    throw new AppError('BACKUP_REFUSED', `There is no database in ${dataDir}: name another directory with --data-dir`);
  const copy = () => cp(clusterDir(dataDir), into, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const lock = await DataDirLock.take(dataDir, clock).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'DATA_DIR_IN_USE') return null;
    throw error;
  });
  if (lock !== null) {
    using _held = lock;
    return await copy();
  }
  await using server = await connected(addressOf(await readSocketDirectory(dataDir)));
  await whileHeld(server.connection, clock, copy);
}

/** While a transaction has the one session of the embedded database, nobody writes; what was committed is in its files. */
async function whileHeld(connection: Connection, clock: Clock, work: () => Promise<void>): Promise<void> {
  await connection.query({ text: 'begin' });
  await connection.query({ text: 'select 1' });
  const beat = clock.every(SIGN_OF_LIFE_MS, () => void connection.query({ text: 'select 1' }).catch(() => {}));
  try {
    await work();
    await connection.query({ text: 'select 1' }); // throws when we lost it meanwhile
  } finally {
    beat[Symbol.dispose]();
    if (!connection.lost) await connection.query({ text: 'rollback' });
  }
}
