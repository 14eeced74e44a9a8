import type { Stats } from 'node:fs';
import { chmod, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makePrivateDirectory } from '../runtime/private-directory.ts';
import { syncDirectory } from '../runtime/sync-directory.ts';
import type { Manifest } from './manifest.ts';
import { openPrivate } from './sealed-file.ts';

/** A backup as the directory lists it: its file, and beside it what is in it. */
export interface Listed {
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  readonly takenAt: string;
  /** When it was last restored into a scratch database and found to be the same; null: it does not count yet. */
  readonly verifiedAt: string | null;
  readonly entry: CatalogEntry;
}

/** What stands in the file beside a backup. It tells people and `list`; a restore believes only what is sealed inside. */
export interface CatalogEntry extends Manifest {
  readonly bytes: number;
  readonly sha256: string;
  readonly verifiedAt: string | null;
}

export interface Retention {
  /** Backups kept, of the verified and of the others each. */
  readonly keep: number;
  readonly keepDays: number;
}

const SUFFIX = '.tar.zst.age';
const DAY_MS = 86_400_000;
const NAME = /^tcp-dashboard-[\dTZ-]+\.tar\.zst\.age(\.part)?$/;

/** E.g. "tcp-dashboard-2026-11-28T03-27-15-123Z.tar.zst.age". */
export const nameAt = (time: number): string =>
  `tcp-dashboard-${new Date(time).toISOString().replace(/[:.]/g, '-')}${SUFFIX}`;

/** Makes the directory, for its owner only; an existing one is narrowed to that. */
export async function prepareDirectory(directory: string): Promise<void> {
  makePrivateDirectory(directory);
  await chmod(directory, 0o700);
}

/** The whole backups of a directory, newest first. One whose description is missing or lies is left out: `verify` writes it anew. */
export async function listBackups(directory: string): Promise<readonly Listed[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const listed: Listed[] = [];
  for (const file of names.filter((name) => NAME.test(name) && name.endsWith(SUFFIX))) {
    const path = join(directory, file);
    const entry = await readEntry(path);
    const bytes = (await statOf(path))?.size;
    if (entry === null || entry.bytes !== bytes) continue;
    listed.push({ ...{ file, path, entry, bytes }, takenAt: entry.takenAt, verifiedAt: entry.verifiedAt });
  }
  return listed.sort((a, b) => (a.takenAt < b.takenAt ? 1 : -1));
}

/** Null for what somebody else let go since the directory was read. */
const statOf = (path: string): Promise<Stats | null> =>
  stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });

/** Replaces the description whole: a reader sees the old one or the new one. */
export async function describe(path: string, entry: CatalogEntry): Promise<void> {
  const part = `${entryOf(path)}.part`;
  await rm(part, { force: true });
  {
    await using file = await openPrivate(part);
    await file.writeFile(`${JSON.stringify(entry, null, 2)}\n`);
    await file.sync();
  }
  await rename(part, entryOf(path));
  syncDirectory(dirname(path));
}

/** Null when nothing that can be read is there. */
export async function readEntry(path: string): Promise<CatalogEntry | null> {
  try {
    const entry = JSON.parse(await readFile(entryOf(path), 'utf8')) as Partial<CatalogEntry>;
    return typeof entry.takenAt === 'string' && typeof entry.bytes === 'number' && Array.isArray(entry.tables)
      ? (entry as CatalogEntry)
      : null;
  } catch {
    return null;
  }
}

/**
 * Removes what is beyond the number or the age to keep, and what a killed backup left; returns the names. The newest verified one stays,
 * whatever its age, and so does the newest of the others.
 */
export async function prune(directory: string, { keep, keepDays }: Retention, now: number): Promise<readonly string[]> {
  const all = await listBackups(directory);
  const tooMany = [all.filter(isVerified), all.filter((one) => !isVerified(one))].flatMap((kind) =>
    kind.filter((one, place) => place > 0 && (place >= keep || Date.parse(one.takenAt) < now - keepDays * DAY_MS)),
  );
  const gone = [...tooMany.map(({ file }) => file), ...(await leftovers(directory, now))];
  for (const file of gone) {
    await rm(join(directory, file), { force: true });
    await rm(entryOf(join(directory, file)), { force: true });
  }
  return gone;
}

/** Parts nobody has written to for a day. */
async function leftovers(directory: string, now: number): Promise<readonly string[]> {
  const old: string[] = [];
  for (const file of (await readdir(directory)).filter((name) => NAME.test(name) && name.endsWith('.part')))
    if (((await statOf(join(directory, file)))?.mtimeMs ?? now) < now - DAY_MS) old.push(file);
  return old;
}

const isVerified = ({ verifiedAt }: Listed): boolean => verifiedAt !== null;
const entryOf = (path: string): string => `${path}.json`;
