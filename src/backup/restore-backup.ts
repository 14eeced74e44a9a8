import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../runtime/errors.ts';
import { openEmbedded, openScratch, openTarget, type Place } from '../storage/backup/places.ts';
import { type Refill, refill } from '../storage/backup/refill.ts';
import type { Connection } from '../storage/connections.ts';
import type { TableNames } from '../storage/database.ts';
import { describe, readEntry } from './catalog.ts';
import { type BackupKeys, decrypterOf } from './keys.ts';
import { type Contents, type Manifest, readContents, readManifest } from './manifest.ts';
import { readSealed } from './sealed-file.ts';
import type { OnProgress } from './take-backup.ts';
import type { Entry } from './tar.ts';

interface ReadOptions {
  /** The file of the backup. */
  readonly path: string;
  readonly place: Place;
  readonly keys: BackupKeys;
  readonly onProgress: OnProgress;
  /** Aborted when it is to end early; everything is as it was then. */
  readonly interrupted: AbortSignal;
}

/** What came of it. */
export interface Restored {
  readonly manifest: Manifest;
  /** Where what was there before is now; null when nothing was. */
  readonly kept: string | null;
}

/**
 * Restores a backup into a scratch database of its own, reads everything back and compares; then it counts. Touches neither the database
 * nor anything but the note beside the file.
 * @throws {AppError} BACKUP_DAMAGED, BACKUP_KEY_WRONG, RESTORE_REFUSED for one of a newer version.
 */
export async function verifyBackup(options: ReadOptions): Promise<Manifest> {
  const { path, place, keys } = options;
  decrypterOf(keys);
  await using scratch = await openScratch(place.dataDir, place.clock);
  const { manifest } = await fromFile(options, async (restoring) => {
    await using target = await openEmbedded(join(scratch.directory, 'verified'), place);
    return await restoring(target.connection, { replace: false, tables: null });
  });
  const { bytes, sha256 } = (await readEntry(path)) ?? { bytes: -1, sha256: '' };
  const { size } = await stat(path);
  const same = bytes === size && sha256 !== '';
  await describe(path, {
    ...manifest,
    bytes: size,
    sha256: same ? sha256 : await hashOf(path),
    verifiedAt: new Date(place.clock.now()).toISOString(),
  });
  return manifest;
}

/**
 * Restores a backup into the place, all or nothing; the present data is never changed. With `replace` what is there is kept under another
 * name, without it an occupied place is refused.
 * @throws {AppError} as `verifyBackup`; also DATA_DIR_IN_USE, and RESTORE_REFUSED for a server at work or an occupied place.
 */
export async function restoreBackup(
  options: ReadOptions & { readonly replace: boolean; readonly tables: TableNames },
): Promise<Restored> {
  const { place, keys, replace, tables } = options;
  decrypterOf(keys);
  await using scratch = await openScratch(place.dataDir, place.clock);
  return await fromFile(options, async (restoring) => {
    await using target = await openTarget(place, scratch.directory, replace);
    const restored = await restoring(target.connection, { replace, tables });
    return { ...restored, kept: (await target.keep()) ?? restored.kept };
  });
}

type Restoring = (
  into: Connection,
  how: { readonly replace: boolean; readonly tables: TableNames | null },
) => Promise<Restored>;

/** Opens the file before any database: a wrong key is told at once. */
async function fromFile(
  { path, place, keys, onProgress, interrupted }: ReadOptions,
  work: (restoring: Restoring) => Promise<Restored>,
): Promise<Restored> {
  const entries = readSealed(path, keys);
  try {
    const first = await entries.next();
    if (first.done || first.value.name !== 'contents.json')
      throw new AppError(
        'BACKUP_DAMAGED',
        `${basename(path)} does not say what is in it: it was not made by this program`,
      );
    const contents = readContents(first.value.bytes);
    return await work(async (connection, how) => {
      let manifest: Manifest | null = null;
      const takenAt = Date.parse(contents.takenAt);
      const kept = await refill(
        connection,
        { state: contents, now: place.clock.now(), takenAt, ...how },
        async (into) => {
          manifest = await pour(entries, contents, into, { onProgress, interrupted });
          await compare(manifest, into, { onProgress, interrupted });
        },
      );
      if (manifest === null) throw new Error('The backup was not read');
      return { manifest, kept };
    });
  } finally {
    await entries.return(undefined);
  }
}

type Watch = Pick<ReadOptions, 'onProgress' | 'interrupted'>;

/** Writes the rows as they come; returns what the backup says of itself at its end. */
async function pour(
  entries: AsyncGenerator<Entry>,
  contents: Contents,
  into: Refill,
  { onProgress, interrupted }: Watch,
): Promise<Manifest> {
  const tables = new Map(contents.tables.map((table) => [table.name, table]));
  const total = rowsIn(contents);
  let done = 0;
  let manifest: Manifest | null = null;
  for await (const { name, bytes } of entries) {
    interrupted.throwIfAborted();
    if (name === 'manifest.json') {
      manifest = readManifest(bytes);
      continue; // up to the end: the last seal is checked there
    }
    const [, table = ''] = /^tables\/([a-z_]+)\/\d+\.copy$/.exec(name) ?? [];
    const shape = tables.get(table);
    if (shape === undefined)
      throw new AppError('BACKUP_DAMAGED', 'The backup holds something it does not name: it is not whole');
    done += await into.write(shape, bytes);
    onProgress({ done, total, note: `restoring ${table}` });
  }
  if (manifest === null) throw new AppError('BACKUP_DAMAGED', 'The backup ends before its manifest: it is not whole');
  return manifest;
}

/** @throws {AppError} BACKUP_DAMAGED when what is there now is not what was backed up. */
async function compare(manifest: Manifest, { pages }: Refill, { onProgress, interrupted }: Watch): Promise<void> {
  const total = rowsIn(manifest);
  let done = 0;
  for (const table of manifest.tables) {
    const hash = createHash('sha256');
    let rows = 0;
    for await (const { text, rows: more } of pages(table)) {
      interrupted.throwIfAborted();
      hash.update(text);
      rows += more;
      done += more;
      onProgress({ done, total, note: `comparing ${table.name}` });
    }
    if (rows === table.rows && hash.digest('hex') === manifest.hashes[table.name]) continue;
    throw new AppError(
      'BACKUP_DAMAGED',
      `Table ${table.name} does not come back as it was: ${rows} of ${table.rows} rows, or other values. Nothing was kept; use another backup`,
    );
  }
}

const rowsIn = ({ tables }: Contents): number => tables.reduce((sum, { rows }) => sum + rows, 0);

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
