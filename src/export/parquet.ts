import { zstdCompressSync } from 'node:zlib';
import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { DecimalBounds } from '../storage/export-state.ts';
import { cellsOf, isAbsent } from './cells.ts';
import { DECIMAL_BYTES, PRECISION, SCALE, type Values, valuesOf } from './parquet-columns.ts';
import type { Column, Encoder } from './table.ts';

/** Rows of one row group, which are held in memory. */
export const GROUP_ROWS = 50_000;

export const fitsDecimal = ({ places, digits }: DecimalBounds): boolean =>
  places <= SCALE && digits <= PRECISION - SCALE;

/**
 * Decimals as DECIMAL(38, 18) where all of the range fit, else as text; both are exact. Header, page headers and footer are the library's;
 * the values are written here, as it makes several objects of each of them.
 */
export function parquetEncoder(columns: readonly Column[], bounds: DecimalBounds): Encoder {
  const kinds = columns.map(({ kind }) => (kind === 'decimal' && !fitsDecimal(bounds) ? 'text' : kind));
  const elements = columns.map(({ name, nullable }, k) => elementOf(kinds[k] as Column['kind'], name, nullable));
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...elements];
  const writer = new ByteWriter(1 << 20);
  const file = new ParquetWriter({ writer, schema, codec: 'ZSTD', createdBy: 'tcp-dashboard' });
  const chunks = elements.map((element, k) => new ColumnChunk(element, valuesOf(kinds[k] as Column['kind'])));
  let rows = 0;
  const group = (): void => {
    const begin = writer.offset;
    const written = chunks.map((chunk) => ({
      file_offset: BigInt(writer.offset),
      meta_data: chunk.write(writer, rows),
    }));
    file.row_groups.push({
      columns: written,
      total_byte_size: written.reduce((sum, { meta_data: { total_uncompressed_size: size } }) => sum + size, 0n),
      total_compressed_size: BigInt(writer.offset - begin),
      num_rows: BigInt(rows),
    });
    file.num_rows += BigInt(rows);
    rows = 0;
  };
  const taken = (): Uint8Array | null => {
    if (writer.index === 0) return null;
    const bytes = Buffer.from(writer.getBytes()); // a copy: the writer goes on in the same memory
    writer.index = 0;
    return bytes;
  };
  return {
    begin: taken,
    page(page) {
      const { bytes, ends } = cellsOf(page, columns.length);
      for (let [cell, from] = [0, 0]; cell < ends.length; ) {
        for (let k = 0; k < columns.length; k += 1, cell += 1) {
          const until = ends[cell] as number;
          (chunks[k] as ColumnChunk).add(bytes, from, until);
          from = until + 1;
        }
        rows += 1;
        if (rows === GROUP_ROWS) group();
      }
      return taken();
    },
    end() {
      if (rows > 0) group();
      void file.finish();
      return taken();
    },
  };
}

/** One column of one row group: a single page. */
class ColumnChunk {
  readonly #element: SchemaElement;
  readonly #values: Values;
  /** Of every row whether it has a value, where a column is nullable. */
  readonly #isThere: number[] | null;
  #nulls = 0;

  constructor(element: SchemaElement, values: Values) {
    this.#element = element;
    this.#values = values;
    this.#isThere = element.repetition_type === 'OPTIONAL' ? [] : null;
  }

  add(bytes: Uint8Array, begin: number, end: number): void {
    if (this.#isThere !== null) {
      const isNull = isAbsent(bytes, begin, end);
      this.#isThere.push(isNull ? 0 : 1);
      if (isNull) this.#nulls += 1;
      if (isNull) return;
    }
    this.#values.add(bytes, begin, end);
  }

  /** Begins anew afterwards. */
  write(writer: ByteWriter, rows: number): ColumnMetaData {
    const begin = writer.offset;
    const levels = new ByteWriter();
    if (this.#isThere !== null) writeRleBitPackedHybrid(levels, this.#isThere, 1);
    const { bytes, bounds } = this.#values.take();
    const compressed = zstdCompressSync(bytes);
    writePageHeader(writer, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levels.offset + bytes.length,
      compressed_page_size: levels.offset + compressed.length,
      data_page_header_v2: {
        ...{ num_values: rows, num_nulls: this.#nulls, num_rows: rows, encoding: 'PLAIN', is_compressed: true },
        ...{ definition_levels_byte_length: levels.offset, repetition_levels_byte_length: 0 },
      },
    });
    const headerLength = writer.offset - begin;
    writer.appendBytes(levels.getBytes());
    writer.appendBytes(compressed);
    const { type = 'BYTE_ARRAY', name } = this.#element;
    const limits = bounds && { min_value: bounds.least, max_value: bounds.most };
    const statistics = { ...limits, null_count: BigInt(this.#nulls) };
    this.#nulls = 0;
    this.#isThere?.splice(0);
    return {
      ...{ type, encodings: ['PLAIN'], path_in_schema: [name], codec: 'ZSTD', num_values: BigInt(rows), statistics },
      total_uncompressed_size: BigInt(headerLength + levels.offset + bytes.length),
      ...{ total_compressed_size: BigInt(writer.offset - begin), data_page_offset: BigInt(begin) },
    };
  }
}

function elementOf(kind: Column['kind'], name: string, nullable: boolean): SchemaElement {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  switch (kind) {
    case 'time':
      return {
        ...{ name, repetition_type, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
      };
    case 'text':
      return { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'decimal':
      return {
        ...{ name, repetition_type, type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES },
        ...{ converted_type: 'DECIMAL', precision: PRECISION, scale: SCALE },
        logical_type: { type: 'DECIMAL', precision: PRECISION, scale: SCALE },
      };
    case 'integer':
      return { name, repetition_type, type: 'INT64' };
    case 'ratio':
      return { name, repetition_type, type: 'DOUBLE' };
    default:
      return kind satisfies never;
  }
}
