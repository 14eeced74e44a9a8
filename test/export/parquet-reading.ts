import { zstdDecompressSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Cell } from '../../src/export/table.ts';

const SCALE = 18;

/** The rows of a Parquet file as the text of the other formats: decimals in full, times in ISO-8601. */
export async function readParquet(bytes: Uint8Array): Promise<readonly Readonly<Record<string, Cell>>[]> {
  const file = Uint8Array.from(bytes).buffer;
  const metadata = parquetMetadata(file);
  const decimals = new Set(
    metadata.schema.filter(({ converted_type: type }) => type === 'DECIMAL').map(({ name }) => name),
  );
  // The reader makes floats of decimals; without being told what they are it hands out their bytes.
  for (const element of metadata.schema)
    if (element.converted_type === 'DECIMAL')
      Object.assign(element, { converted_type: undefined, logical_type: undefined });
  const rows = await parquetReadObjects({
    ...{ file, metadata, utf8: true },
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
  });
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cellOf(value, decimals.has(name))])),
  );
}

function cellOf(value: unknown, isDecimal: boolean): Cell {
  if (value === null || value === undefined) return null;
  if (isDecimal) return decimalOf(value as Uint8Array);
  return value instanceof Date ? value.toISOString() : String(value);
}

function decimalOf(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  value = BigInt.asIntN(8 * bytes.length, value);
  const digits = String(value < 0n ? -value : value).padStart(SCALE + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`.replace(/\.?0+$/, '');
}

/** Decimals without the zeros at the end, which Parquet does not keep. */
export const shortest = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
