import { zstdCompressSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { AppError } from '../runtime/errors.ts';
import type { DecimalBounds } from '../storage/export-state.ts';
import type { Column, Encoder, Row } from './table.ts';

/** Every reader takes 38 digits; 18 of them after the point hold whatever an exchange prints. */
const PRECISION = 38;
const SCALE = 18;
const DECIMAL_BYTES = 16;
/** Rows of one row group, which are held in memory. */
export const GROUP_ROWS = 50_000;
const compressors = { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) };

export const fitsDecimal = ({ places, digits }: DecimalBounds): boolean =>
  places <= SCALE && digits <= PRECISION - SCALE;

/** Decimals as DECIMAL(38, 18) where all of the range fit, else as text; both are exact. */
export function parquetEncoder(columns: readonly Column[], bounds: DecimalBounds): Encoder {
  const asDecimal = fitsDecimal(bounds);
  const kinds = columns.map(({ kind }) => (kind === 'decimal' && !asDecimal ? 'text' : kind));
  const leaves = columns.map(({ name, nullable }, k) => ({
    ...elementOf(kinds[k] as Column['kind']),
    name,
    ...repeated(nullable),
  }));
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...leaves];
  const writer = new ByteWriter(1 << 20);
  const file = new ParquetWriter({ writer, schema, codec: 'ZSTD', compressors, createdBy: 'tcp-dashboard' });
  let waiting: Row[] = [];
  const group = (rows: readonly Row[]): void => {
    const columnData = columns.map(({ name }, k) => {
      const read = READ[kinds[k] as Column['kind']];
      const data = rows.map((row) => (row[k] == null ? null : read(row[k])));
      // Their bounds are of no use: the places of a decimal differ, and ids are text.
      return { name, data, statistics: kinds[k] !== 'decimal' };
    });
    void file.write({ columnData, rowGroupSize: rows.length });
  };
  const taken = (): Uint8Array | null => {
    if (writer.index === 0) return null;
    const bytes = Buffer.from(writer.getBytes()); // a copy: the writer goes on in the same memory
    writer.index = 0;
    return bytes;
  };
  return {
    begin: taken,
    page(rows) {
      for (const row of rows) waiting.push(row);
      for (; waiting.length >= GROUP_ROWS; waiting = waiting.slice(GROUP_ROWS)) group(waiting.slice(0, GROUP_ROWS));
      return taken();
    },
    end() {
      if (waiting.length > 0) group(waiting);
      // Told only now: the library would otherwise make every decimal from a BigInt, which takes ten times as long.
      for (const leaf of leaves)
        if (leaf.logical_type?.type === 'DECIMAL') Object.assign(leaf, { converted_type: 'DECIMAL' });
      void file.finish();
      return taken();
    },
  };
}

const repeated = (nullable: boolean) => ({ repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const) });

function elementOf(kind: Column['kind']): Omit<SchemaElement, 'name'> {
  switch (kind) {
    case 'time':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MILLIS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
      };
    case 'text':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'decimal':
      return {
        ...{ type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES, precision: PRECISION, scale: SCALE },
        logical_type: { type: 'DECIMAL', precision: PRECISION, scale: SCALE },
      };
    case 'integer':
      return { type: 'INT64' };
    case 'ratio':
      return { type: 'DOUBLE' };
    default:
      return kind satisfies never;
  }
}

const READ: Readonly<Record<Column['kind'], (cell: string) => unknown>> = {
  time: BigInt,
  text: (cell) => cell,
  decimal: decimalBytes,
  integer: BigInt,
  ratio: Number,
};

/**
 * The unscaled integer, big-endian two's complement.
 * @throws {AppError} DECIMAL_INVALID when it would not fit: cut digits would pass for the value.
 */
export function decimalBytes(text: string): Uint8Array {
  const point = text.indexOf('.');
  const places = point < 0 ? 0 : text.length - point - 1;
  const whole = (point < 0 ? text.length : point) - (text.startsWith('-') ? 1 : 0);
  if (places > SCALE || whole > PRECISION - SCALE)
    throw new AppError('DECIMAL_INVALID', `"${text.slice(0, 80)}" does not fit DECIMAL(${PRECISION}, ${SCALE})`);
  const digits = point < 0 ? text : text.slice(0, point) + text.slice(point + 1);
  const value = BigInt(digits + ZEROS.slice(places));
  const bytes = Buffer.allocUnsafe(DECIMAL_BYTES);
  bytes.writeBigInt64BE(value >> 64n, 0);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 8);
  return bytes;
}

const ZEROS = '0'.repeat(SCALE);
