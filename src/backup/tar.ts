import { AppError } from '../runtime/errors.ts';

/** One file of an archive. */
export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
}

/** POSIX ustar: what any tar unpacks. Only plain files with short names, which is all a backup has. */
const BLOCK = 512;
/** Larger than any page of rows; more is not asked of the memory, whatever a header says. */
const LONGEST_ENTRY = 512 * 1_048_576;

export const ARCHIVE_END: Buffer = Buffer.alloc(2 * BLOCK);

/** A file as it lies in an archive. */
export function packed({ name, bytes }: Entry, time: number): Buffer {
  if (Buffer.byteLength(name) > 100 || bytes.length > LONGEST_ENTRY)
    throw new RangeError(`${name} does not fit into an archive`);
  const header = Buffer.alloc(BLOCK);
  const number = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  header.write(name, 0);
  number(0o600, 100, 8);
  number(0, 108, 8);
  number(0, 116, 8);
  number(bytes.length, 124, 12);
  number(Math.floor(time / 1_000), 136, 12);
  header.write('0', 156); // a plain file
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, bytes, Buffer.alloc(padding(bytes.length))]);
}

/**
 * The files of an archive, one after the other.
 * @throws {AppError} BACKUP_DAMAGED where it is none, or does not end as one.
 */
export async function* unpacked(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const input = new ExactReader(archive);
  for (;;) {
    const header = await input.read(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8);
    const sum = Number.parseInt(header.toString('latin1', 148, 154), 8);
    if (sum !== checksum(header) || !(size >= 0 && size <= LONGEST_ENTRY)) throw damaged('has a part that is none');
    const name = header.toString('utf8', 0, header.indexOf(0));
    const bytes = await input.read(size);
    await input.read(padding(size));
    yield { name, bytes };
  }
}

class ExactReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #buffered: Buffer[] = [];
  #length = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async read(length: number): Promise<Buffer> {
    while (this.#length < length) {
      const next = await this.#source.next();
      if (next.done) throw damaged('ends too early');
      this.#buffered.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      this.#length += next.value.byteLength;
    }
    const all = this.#buffered.length === 1 ? (this.#buffered[0] as Buffer) : Buffer.concat(this.#buffered);
    this.#buffered = [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }
}

/** Of a header, as if its own place held spaces. */
const checksum = (header: Buffer): number =>
  header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);

const padding = (length: number): number => (BLOCK - (length % BLOCK)) % BLOCK;

const damaged = (how: string) => new AppError('BACKUP_DAMAGED', `The backup ${how}: it is not whole`);
