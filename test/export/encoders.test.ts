import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { fitsDecimal, GROUP_ROWS, parquetEncoder } from '../../src/export/parquet.ts';
import { column, csvEncoder, type Encoder, ndjsonEncoder, type Row, rowsOf, toPage } from '../../src/export/table.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { readParquet, shortest } from './parquet-reading.ts';

const COLUMNS = [
  ...[column('time', 'at'), column('decimal', 'price'), column('decimal', 'vwap', true), column('integer', 'n')],
  ...[column('ratio', 'share'), column('text', 'id'), column('time', 'known_at', true)],
];
const BOUNDS = { places: 18, digits: 20 };

function fileOf(encoder: Encoder, ...pages: readonly (readonly Row[])[]): Buffer {
  const parts = [encoder.begin(), ...pages.map((rows) => encoder.page(rows)), encoder.end()];
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

  it('take rows as text, and refuse one whose cells would be shifted', () => {
    expect([...rowsOf(toPage(ROWS), COLUMNS)]).toEqual(ROWS);
    for (const id of ['1\t2', '1\n2'])
      expect(() => [...rowsOf(toPage([['0', '1', '1', '1', '1', id, null]]), COLUMNS)]).toThrow(/tab or a line break/);
  });
});
