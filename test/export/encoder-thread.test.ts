import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EncoderThread } from '../../src/export/encoder-thread.ts';
import type { ExportFormat } from '../../src/export/request.ts';
import { column, toPage } from '../../src/export/table.ts';
import { readParquet } from './parquet-reading.ts';

const columns = [column('text', 'id')];
const bounds = { places: 0, digits: 0 };
/** So much of it as nothing can shorten. */
const rowsOf = (count: number) => Array.from({ length: count }, (_, k) => [hash('sha256', String(k), 'base64url')]);

async function fileOf(format: ExportFormat, rows: readonly (readonly string[])[]): Promise<Buffer> {
  await using encoder = new EncoderThread({ format, columns, bounds });
  const parts = [await encoder.begin(), await encoder.encode(toPage(rows)), await encoder.encode(null)];
  return Buffer.concat(parts.filter((part) => part !== null));
}

describe('an encoder in a thread of its own', () => {
  // Node keeps small buffers in one piece of memory that cannot be handed over; larger ones have their own.
  it.each([1, 100, 250, 400, 500, 700, 900, 1_500, 3_000])('hands over files of every size: %i rows', async (count) => {
    const rows = rowsOf(count);
    expect(await readParquet(await fileOf('parquet', rows))).toEqual(rows.map(([id]) => ({ id })));
    expect(String(await fileOf('csv', rows))).toBe(`id\r\n${rows.map(([id]) => `${id}\r\n`).join('')}`);
  });
});
