import { createHash } from 'node:crypto';
import { access, type FileHandle, open, rename, rm, stat, writeFile } from 'node:fs/promises';

/** A file that appears under its name only when it is whole, and its manifest beside it. */
export class PartialFile implements AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  bytes = 0;
  /** Line feeds so far. */
  lines = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @throws {Error} in words when something of that name is there, unless it may be replaced. */
  static async create(path: string, force: boolean): Promise<PartialFile> {
    for (const taken of force ? [] : [path, manifestOf(path)])
      if (await exists(taken))
        throw new Error(`${taken} is there already; name another with --out, or replace it with --force`);
    if (await isFolder(path)) throw new Error(`${path} is a folder; name a file with --out`);
    const handle = await open(partOf(path), force ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      throw new Error(
        `${partOf(path)} is there already, of an export that runs or was killed; remove it, or use --force`,
      );
    });
    return new PartialFile(path, handle);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.bytes += bytes.length;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) this.lines += 1;
    await this.#handle.writeFile(bytes);
  }

  /** Where it is until it is whole. */
  get part(): string {
    return partOf(this.#path);
  }

  /** Everything is written; returns its SHA-256 in hex. */
  async complete(): Promise<string> {
    await this.#handle.sync();
    await this.#handle.close();
    return this.#hash.digest('hex');
  }

  /** The manifest first: whoever finds the file finds it too. */
  async publish(manifest: object): Promise<void> {
    await writeFile(manifestOf(this.#path), `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(this.part, this.#path);
  }

  /** Removes what did not become whole. Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.part, { force: true });
  }
}

const LINE_FEED = 0x0a;
const partOf = (path: string): string => `${path}.part`;
export const manifestOf = (path: string): string => `${path}.manifest.json`;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
