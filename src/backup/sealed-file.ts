import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { AppError, messageOf } from '../runtime/errors.ts';
import { ownerFor } from '../runtime/left-to-owner.ts';
import { syncDirectory } from '../runtime/sync-directory.ts';
import { type BackupKeys, decrypterOf, encrypterOf } from './keys.ts';
import { ARCHIVE_END, type Entry, packed, unpacked } from './tar.ts';

/** A file of its own name only when it is whole: `age --decrypt | zstd -d | tar x` unpacks it. */
export interface SealedFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes entries into a new file for its owner only, on the disk when it returns. What did not become whole is removed. */
export async function writeSealed(
  path: string,
  entries: AsyncIterable<Entry>,
  keys: BackupKeys,
  now: number,
): Promise<SealedFile> {
  const encrypter = encrypterOf(keys);
  const part = partOf(path);
  const handle = await openPrivate(part);
  try {
    const compressed = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    pipeline(Readable.from(archive(entries, now)), compressed, () => {}); // its error comes out of the other end
    const sealed = Readable.fromWeb((await encrypter.encrypt(toWeb(compressed))) as ReadableStream<Uint8Array>);
    const written = await writeAll(handle, sealed);
    await handle.sync();
    await handle.close();
    await rename(part, path);
    syncDirectory(dirname(path));
    return written;
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}

/** A new file for the owner of its directory where root makes it, else for whoever makes it. */
export async function openPrivate(path: string): Promise<FileHandle> {
  const handle = await open(path, 'wx', 0o600);
  await handle.chmod(0o600); // whatever the umask took
  const owner = ownerFor(dirname(path));
  if (owner !== null) await handle.chown(owner.uid, owner.gid);
  return handle;
}

async function writeAll(handle: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<SealedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    await handle.writeFile(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function* archive(entries: AsyncIterable<Entry>, now: number): AsyncGenerator<Buffer> {
  for await (const entry of entries) yield packed(entry, now);
  yield ARCHIVE_END;
}

/**
 * The entries of a file, decrypted and checked piece by piece.
 * @throws {AppError} BACKUP_KEY_WRONG when no key opens it; BACKUP_DAMAGED for a changed byte and a missing end; CONFIG_INVALID without a key.
 */
export async function* readSealed(path: string, keys: BackupKeys): AsyncGenerator<Entry> {
  const decrypter = decrypterOf(keys);
  const file = createReadStream(path);
  try {
    const plain = await decrypter.decrypt(toWeb(file)).catch((error: unknown) => {
      throw translated(path, error);
    });
    const archived = createZstdDecompress();
    pipeline(Readable.fromWeb(plain as ReadableStream<Uint8Array>), archived, () => {});
    yield* unpacked(named(path, archived));
    for await (const _ of named(path, archived)); // the seal of the last piece is checked when the end is read
  } finally {
    file.destroy();
  }
}

async function* named(path: string, chunks: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of chunks.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch (error) {
    throw translated(path, error);
  }
}

function translated(path: string, error: unknown): unknown {
  if (error instanceof AppError || (error instanceof Error && 'syscall' in error)) return error;
  const name = basename(path);
  // Also what a change in the lines for the recipients looks like: nothing else is known of them.
  if (/no identity matched/.test(messageOf(error)))
    return new AppError(
      'BACKUP_KEY_WRONG',
      `${name} does not open with the key that is given, or its head is damaged: check BACKUP_PASSPHRASE and BACKUP_IDENTITY, or use another copy`,
    );
  return new AppError(
    'BACKUP_DAMAGED',
    `${name} is not as it was written (${messageOf(error)}): use another copy, or another backup; see npm run backup -- list`,
    { cause: error },
  );
}

const toWeb = (stream: Readable) => Readable.toWeb(stream) as globalThis.ReadableStream<Uint8Array>;

export const partOf = (path: string): string => `${path}.part`;
