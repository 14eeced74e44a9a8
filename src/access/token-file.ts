import {
  closeSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AppError, messageOf } from '../runtime/errors.ts';
import { ownerFor } from '../runtime/left-to-owner.ts';
import { makePrivateDirectory } from '../runtime/private-directory.ts';
import { syncDirectory } from '../runtime/sync-directory.ts';
import { ROLES } from './role.ts';

const TOKEN = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  name: z.string().min(1),
  roles: z.array(z.enum(ROLES)).min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Times are ISO-8601; null for never. */
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});
const FILE = z.strictObject({ tokens: z.array(TOKEN) });

/** A token as it is kept. One that is revoked stays, so that the file tells who ever had one. */
export type StoredToken = Readonly<z.infer<typeof TOKEN>>;

/** The tokens of a data directory: `access/tokens.json`, for its owner only. */
export class TokenFile {
  readonly path: string;
  readonly #directory: string;

  constructor(dataDir: string) {
    this.#directory = join(dataDir, 'access');
    this.path = join(this.#directory, 'tokens.json');
  }

  /** Changes whenever the file does; null while there is none. */
  version(): string | null {
    const stats = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs}` : null;
  }

  /** Without a file there are none. @throws {AppError} CONFIG_INVALID for one that cannot be read. */
  read(): readonly StoredToken[] {
    try {
      return FILE.parse(JSON.parse(readFileSync(this.path, 'utf8'))).tokens;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : messageOf(error);
      throw new AppError(
        'CONFIG_INVALID',
        `The tokens in ${this.path} cannot be read (${reason}); restore the file, or remove it and make new tokens`,
      );
    }
  }

  /**
   * Puts what `change` makes of the tokens in their place, whole or not at all; on the disk when it returns.
   * @throws {AppError} CONFIG_INVALID when it cannot be read or written, or somebody else is changing it.
   */
  change(change: (tokens: readonly StoredToken[]) => readonly StoredToken[]): void {
    const next = `${this.path}.new`;
    let file: number;
    try {
      makePrivateDirectory(this.#directory);
      file = openSync(next, 'wx', 0o600);
    } catch (error) {
      throw new AppError(
        'CONFIG_INVALID',
        `${next} cannot be made (${messageOf(error)}); if it is there and no other command changes tokens, remove it`,
      );
    }
    try {
      try {
        this.#leaveToOwner(file);
        writeSync(file, `${JSON.stringify({ tokens: change(this.read()) }, null, 2)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(next, this.path);
    } catch (error) {
      rmSync(next, { force: true });
      throw error;
    }
    syncDirectory(this.#directory); // or a power cut would take the revocation back
  }

  /** What root makes has to be read by the server, which runs as whoever owns the data directory. */
  #leaveToOwner(file: number): void {
    const owner = ownerFor(dirname(this.#directory));
    if (owner === null) return;
    lchownSync(this.#directory, owner.uid, owner.gid);
    fchownSync(file, owner.uid, owner.gid);
  }
}
