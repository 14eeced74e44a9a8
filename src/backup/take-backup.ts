import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../runtime/errors.ts';
import { VERSION } from '../runtime/version.ts';
import { openScratch, openSource, type Place } from '../storage/backup/places.ts';
import { type Snapshot, withSnapshot } from '../storage/backup/snapshot.ts';
import { type CatalogEntry, describe, nameAt, prepareDirectory } from './catalog.ts';
import { type BackupKeys, encrypterOf } from './keys.ts';
import type { Contents, Manifest } from './manifest.ts';
import { writeSealed } from './sealed-file.ts';
import type { Entry } from './tar.ts';

/** In rows. */
export type OnProgress = (progress: { readonly done: number; readonly total: number; readonly note: string }) => void;

export interface BackupOptions {
  readonly place: Place;
  readonly keys: BackupKeys;
  /** Where backups lie. */
  readonly directory: string;
  readonly onProgress: OnProgress;
  /** Aborted when it is to end early; nothing is left then. */
  readonly interrupted: AbortSignal;
}

export interface Backup {
  readonly path: string;
  readonly entry: CatalogEntry;
}

/**
 * Writes everything a database holds at one moment into a new file; whoever records goes on meanwhile. It counts once it is verified.
 * @throws {AppError} CONFIG_INVALID without a key; DATA_DIR_IN_USE while another one is made; DATABASE_UNAVAILABLE.
 */
export async function takeBackup(options: BackupOptions): Promise<Backup> {
  const { place, keys, directory, onProgress, interrupted } = options;
  const { clock } = place;
  encrypterOf(keys); // before anything is done
  await prepareDirectory(directory);
  await using scratch = await openScratch(place.dataDir, clock);
  const takenAt = clock.now();
  await using source = await openSource(place, scratch.directory);
  return await withSnapshot(source.connection, async (snapshot) => {
    if (snapshot.state.migrations.length === 0)
      throw new AppError(
        'BACKUP_REFUSED',
        'The database holds nothing of ours yet: start the server once, then make a backup',
      );
    const contents: Contents = {
      ...{ format: 1, takenAt: new Date(takenAt).toISOString(), program: VERSION },
      database: place.url === null ? 'embedded' : 'postgres',
      ...snapshot.state,
    };
    const hashes = new Map<string, string>();
    const manifest = (): Manifest => ({ ...contents, hashes: Object.fromEntries(hashes) });
    const path = join(directory, nameAt(takenAt));
    const file = await writeSealed(path, entries(), keys, takenAt);
    const entry: CatalogEntry = { ...manifest(), ...file, verifiedAt: null };
    await describe(path, entry);
    return { path, entry };

    async function* entries(): AsyncGenerator<Entry> {
      yield { name: 'contents.json', bytes: json(contents) };
      yield* rowsOf(snapshot, hashes, onProgress, interrupted);
      yield { name: 'manifest.json', bytes: json(manifest()) };
    }
  });
}

async function* rowsOf(
  { state, pages }: Snapshot,
  hashes: Map<string, string>,
  onProgress: OnProgress,
  interrupted: AbortSignal,
): AsyncGenerator<Entry> {
  const total = state.tables.reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  for (const table of state.tables) {
    const hash = createHash('sha256');
    let [rows, page] = [0, 0];
    for await (const { text, rows: more } of pages(table)) {
      interrupted.throwIfAborted();
      hash.update(text);
      rows += more;
      done += more;
      page += 1;
      onProgress({ done, total, note: table.name });
      yield { name: `tables/${table.name}/${String(page).padStart(8, '0')}.copy`, bytes: text };
    }
    if (rows !== table.rows) throw new Error(`${table.name} gave ${rows} of its ${table.rows} rows`);
    hashes.set(table.name, hash.digest('hex'));
  }
}

const json = (value: object): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
