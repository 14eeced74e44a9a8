import { z } from 'zod';
import { AppError } from '../runtime/errors.ts';
import type { StoredState } from '../storage/backup/snapshot.ts';

const digits = z.string().regex(/^\d+$/);
const count = z.int().min(0);

const table = z.object({
  name: z.string(),
  columns: z.array(z.string()).min(1),
  key: z.array(z.object({ column: z.string(), bytewise: z.boolean() })).min(1),
  rows: count,
});

/** What stands first in a backup, so that whoever reads on knows what to expect. */
const CONTENTS = z.object({
  format: z.literal(1),
  takenAt: z.iso.datetime(),
  program: z.string(),
  database: z.enum(['embedded', 'postgres']),
  migrations: z.array(z.string()),
  positions: z.record(z.string(), digits),
  sequences: z.record(z.string(), digits),
  newestTrade: z.string().nullable(),
  tables: z.array(table),
});

/** What stands last: with it the backup is whole. */
const MANIFEST = CONTENTS.extend({ hashes: z.record(z.string(), z.string()) });

export interface Contents extends StoredState {
  readonly format: 1;
  /** When the database was as the backup has it. */
  readonly takenAt: string;
  /** Version of the program that made it. */
  readonly program: string;
  readonly database: 'embedded' | 'postgres';
}

export interface Manifest extends Contents {
  /** The SHA-256 of each table's rows, as COPY writes them in the order of its key. */
  readonly hashes: Readonly<Record<string, string>>;
}

export const readContents = (text: Buffer): Contents => read(CONTENTS, text);
export const readManifest = (text: Buffer): Manifest => read(MANIFEST, text);

function read<T>(schema: z.ZodType<T>, text: Buffer): T {
  let json: unknown;
  try {
    json = JSON.parse(text.toString());
  } catch {
    json = null;
  }
  const format = (json as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > 1)
    throw new AppError(
      'RESTORE_REFUSED',
      `The backup is of format ${format}, which a later version of this program writes: restore it with that one`,
    );
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new AppError('BACKUP_DAMAGED', 'The backup does not say what is in it: it was not made by this program');
}
