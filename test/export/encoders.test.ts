import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { csvEncoder, ndjsonEncoder } from '../../src/export/lines.ts';
import { fitsDecimal, GROUP_ROWS, parquetEncoder } from '../../src/export/parquet.ts';
import { type Cell, type Column, column, type Encoder, type Row, toPage } from '../../src/export/table.ts';
import { formatTime } from '../../src/runtime/date-time.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { readParquet, shortest } from './parquet-reading.ts';

const COLUMNS = [
  ...[column('time', 'at'), column('decimal', 'price'), column('decimal', 'vwap', true), column('integer', 'n')],
  ...[column('ratio', 'share'), column('text', 'id'), column('time', 'known_at', true)],
];
const BOUNDS = { places: 18, digits: 20 };

function fileOf(encoder: Encoder, ...pages: readonly (readonly Row[])[]): Buffer {
  const parts = [encoder.begin(), ...pages.map((rows) => encoder.page(toPage(rows))), encoder.end()];
  return Buffer.concat(parts.filter((part) => part !== null));
}

const ROWS: readonly Row[] = [
  ['1767225600000', '63924.70', '0.000000000000000001', '3', '0.5', '9007199254740993', '1767225600001'],
  ['1767225600999', '12345678901234567890.123456789012345678', null, '0', '1', 'a,"b"', null],
];

describe('the encoders of an export', () => {
  it('write CSV by RFC 4180', () => {
    expect(fileOf(csvEncoder(COLUMNS), ROWS).toString()).toBe(
      'at,price,vwap,n,share,id,known_at\r\n' +
        '2026-01-01T00:00:00.000Z,63924.70,0.000000000000000001,3,0.5,9007199254740993,2026-01-01T00:00:00.001Z\r\n' +
        '2026-01-01T00:00:00.999Z,12345678901234567890.123456789012345678,,0,1,"a,""b""",\r\n',
    );
  });

  it('write NDJSON with decimals and ids as strings', () => {
    const lines = fileOf(ndjsonEncoder(COLUMNS), ROWS).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ at: '2026-01-01T00:00:00.000Z', price: '63924.70', vwap: '0.000000000000000001', n: 3, share: 0.5 },
        ...{ id: '9007199254740993', known_at: '2026-01-01T00:00:00.001Z' },
      },
      {
        ...{ at: '2026-01-01T00:00:00.999Z', price: '12345678901234567890.123456789012345678', vwap: null, n: 0 },
        ...{ share: 1, id: 'a,"b"', known_at: null },
      },
    ]);
  });

  it('write Parquet of exact decimals and UTC times, in row groups of bounded size', async () => {
    const many = Array.from(
      { length: GROUP_ROWS },
      (_, k): Row => [String(k), `${k}.5`, null, String(k), '0', String(k), null],
    );
    const file = fileOf(parquetEncoder(COLUMNS, BOUNDS), ROWS, many);
    const { row_groups: groups, schema } = parquetMetadata(Uint8Array.from(file).buffer);
    expect(groups.map(({ num_rows: rows }) => Number(rows))).toEqual([GROUP_ROWS, 2]);
    const bounds = groups.map(
      ({ columns }) => columns[COLUMNS.findIndex(({ name }) => name === 'n')]?.meta_data?.statistics,
    );
    expect(bounds.map((found) => [found?.min_value, found?.max_value].map(Number))).toEqual([
      [0, GROUP_ROWS - 3],
      [GROUP_ROWS - 2, GROUP_ROWS - 1],
    ]);
    expect(
      schema.slice(1).map(({ name, logical_type: type, repetition_type: rule }) => [name, type?.type, rule]),
    ).toEqual([
      ...[
        ['at', 'TIMESTAMP', 'REQUIRED'],
        ['price', 'DECIMAL', 'REQUIRED'],
        ['vwap', 'DECIMAL', 'OPTIONAL'],
      ],
      ...[
        ['n', undefined, 'REQUIRED'],
        ['share', undefined, 'REQUIRED'],
        ['id', 'STRING', 'REQUIRED'],
      ],
      ['known_at', 'TIMESTAMP', 'OPTIONAL'],
    ]);
    const rows = await readParquet(file);
    expect(rows).toHaveLength(GROUP_ROWS + 2);
    expect(rows.slice(0, 2)).toEqual([
      {
        ...{ at: '2026-01-01T00:00:00.000Z', price: '63924.7', vwap: '0.000000000000000001', n: '3', share: '0.5' },
        ...{ id: '9007199254740993', known_at: '2026-01-01T00:00:00.001Z' },
      },
      {
        ...{ at: '2026-01-01T00:00:00.999Z', price: '12345678901234567890.123456789012345678', vwap: null, n: '0' },
        ...{ share: '1', id: 'a,"b"', known_at: null },
      },
    ]);
    expect(rows.at(-1)).toMatchObject({ price: `${GROUP_ROWS - 1}.5`, id: String(GROUP_ROWS - 1) });
  });

  it('keep every digit of any decimal in Parquet', async () => {
    const digits = (most: number) =>
      fc.string({
        unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'),
        minLength: 1,
        maxLength: most,
      });
    const decimals = fc
      .tuple(fc.constantFrom('', '-'), digits(20), fc.option(digits(18)))
      .map(([sign, whole, part]) => `${sign}${whole.replace(/^0+(?=\d)/, '')}${part === null ? '' : `.${part}`}`);
    await fc.assert(
      fc.asyncProperty(fc.array(decimals, { minLength: 1, maxLength: 50 }), async (values) => {
        const file = fileOf(
          parquetEncoder([column('decimal', 'value')], BOUNDS),
          values.map((value) => [value]),
        );
        const read = await readParquet(file);
        expect(read.map(({ value }) => value)).toEqual(values.map((value) => shortest(value).replace(/^-(?=0$)/, '')));
      }),
      { numRuns: 200 },
    );
  });

  it('write decimals that do not fit as text, and never cut one', async () => {
    expect([BOUNDS, { places: 19, digits: 1 }, { places: 0, digits: 21 }].map(fitsDecimal)).toEqual([
      true,
      false,
      false,
    ]);
    const long = '0.0000000000000000001';
    const text = fileOf(parquetEncoder([column('decimal', 'value')], { places: 19, digits: 1 }), [[long]]);
    expect(await readParquet(text)).toEqual([{ value: long }]);
    for (const value of [long, '123456789012345678901'])
      expect(() => fileOf(parquetEncoder([column('decimal', 'value')], BOUNDS), [[value]])).toThrow(AppError);
  });

  it('write times of any year as ISO-8601', () => {
    const times = [0, 999, 1_000, 1_700_000_000_000, 1_700_000_000_007, 1_700_000_000_999, 253_402_300_799_999, -1];
    const file = fileOf(
      csvEncoder([column('time', 'at')]),
      times.map((time) => [String(time)]),
    ).toString();
    expect(file.trimEnd().split('\r\n').slice(1)).toEqual(times.map((time) => new Date(time).toISOString()));
  });

  it('make a valid file of no rows at all', async () => {
    expect(fileOf(csvEncoder(COLUMNS)).toString()).toBe('at,price,vwap,n,share,id,known_at\r\n');
    expect(fileOf(ndjsonEncoder(COLUMNS))).toHaveLength(0);
    expect(await readParquet(fileOf(parquetEncoder(COLUMNS, BOUNDS)))).toEqual([]);
  });

  it('write CSV and NDJSON of any rows as the rules say', () => {
    fc.assert(
      fc.property(fc.array(ROW, { maxLength: 30 }), fc.nat(30), (rows, cut) => {
        const pages = [rows.slice(0, cut), rows.slice(cut)].filter((page) => page.length > 0);
        const header = `${COLUMNS.map(({ name }) => name).join(',')}\r\n`;
        expect(fileOf(csvEncoder(COLUMNS), ...pages).toString()).toBe(
          header + rows.map((row) => `${row.map((cell, k) => inCsv(cell, COLUMNS[k])).join(',')}\r\n`).join(''),
        );
        expect(fileOf(ndjsonEncoder(COLUMNS), ...pages).toString()).toBe(
          rows
            .map((row) => row.map((cell, k) => `${JSON.stringify(COLUMNS[k]?.name)}:${inJson(cell, COLUMNS[k])}`))
            .map((members) => `{${members.join(',')}}\n`)
            .join(''),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('write Parquet of any rows, with the bounds and nulls of every column', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ROW, { minLength: 1, maxLength: 30 }), async (rows) => {
        const file = fileOf(parquetEncoder(COLUMNS, BOUNDS), rows);
        const read = await readParquet(file);
        expect(read.map((row) => Object.values(row))).toEqual(
          rows.map((row) => row.map((cell, k) => inParquet(cell, COLUMNS[k]))),
        );
        const [group] = parquetMetadata(Uint8Array.from(file).buffer).row_groups;
        for (const [k, { kind, name }] of COLUMNS.entries()) {
          const { statistics } = group?.columns[k]?.meta_data ?? {};
          const cells = rows.flatMap((row) => row[k] ?? []);
          expect([name, statistics?.null_count]).toEqual([name, BigInt(rows.length - cells.length)]);
          if (kind === 'decimal' || kind === 'text') continue; // text has bounds that are cut to 16 bytes
          const sorted = cells.map(Number).toSorted((a, b) => a - b);
          const bounds = [statistics?.min_value, statistics?.max_value].map((bound) =>
            bound instanceof Date ? bound.getTime() : bound === undefined ? undefined : Number(bound) + 0,
          );
          expect([name, ...bounds]).toEqual([name, sorted[0], sorted.at(-1)]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('refuse rows whose cells would be shifted, and those that are not as many as they should be', () => {
    for (const encoder of [csvEncoder(COLUMNS), ndjsonEncoder(COLUMNS), parquetEncoder(COLUMNS, BOUNDS)]) {
      for (const id of ['1\t2', '1\n2'])
        expect(() => encoder.page(toPage([['0', '1', '1', '1', '1', id, null]]))).toThrow(/tab or a line break/);
      const { text } = toPage(ROWS);
      const balanced = { text: text.replace('\n', '\t').replace(/\t(?=[^\t]*$)/, '\n'), count: 2 };
      expect(() => encoder.page(balanced)).toThrow(/tab or a line break/);
      for (const count of [1, 3]) expect(() => encoder.page({ text, count })).toThrow(/tab or a line break/);
    }
  });
});

const TEXT = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\t\n]/.test(text));
const HOSTILE = fc.string({
  unit: fc.constantFrom('"', ',', '\r', '\\', '\u0001', '\u007f', '\u2028', 'é', '😀', 'N', 'a'),
  maxLength: 8,
});
/** Ms; most of them within a few seconds, as in a page. */
const TIME = fc.oneof(
  fc.integer({ min: 1_767_225_600_000, max: 1_767_225_603_000 }),
  fc.integer({ min: -5_000, max: 5_000 }),
  fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
);
const DECIMAL = fc.tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.nat(18)).map(([digits, places]) => {
  const text = String(digits)
    .replace('-', '')
    .padStart(places + 1, '0');
  const point = text.length - places;
  return `${digits < 0n ? '-' : ''}${text.slice(0, point)}${places === 0 ? '' : `.${text.slice(point)}`}`;
});
const orNull = <T>(cell: fc.Arbitrary<T>) => fc.option(cell, { nil: null });
const ROW: fc.Arbitrary<Row> = fc.tuple(
  ...[TIME.map(String), DECIMAL, orNull(DECIMAL), fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }).map(String)],
  ...[fc.integer({ min: 0, max: 1_000 }).map((share) => String(share / 1_000)), fc.oneof(TEXT, HOSTILE)],
  orNull(TIME.map(String)),
);

function inCsv(cell: Cell, one: Column | undefined): string {
  if (cell === null) return '';
  if (one?.kind === 'time') return formatTime(Number(cell));
  return one?.kind === 'text' && /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function inJson(cell: Cell, one: Column | undefined): string {
  if (cell === null) return 'null';
  if (one?.kind === 'integer' || one?.kind === 'ratio') return cell;
  return JSON.stringify(one?.kind === 'time' ? formatTime(Number(cell)) : cell);
}

function inParquet(cell: Cell, one: Column | undefined): Cell {
  if (cell === null) return null;
  if (one?.kind === 'time') return formatTime(Number(cell));
  return one?.kind === 'decimal' ? shortest(cell).replace(/^-(?=0$)/, '') : cell;
}
