import { expect, it } from 'vitest';
import { AppError } from '../../src/runtime/errors.ts';
import { isOfTheRow } from '../../src/storage/database-errors.ts';

const thrown = (code: string) => Object.assign(new Error(`error ${code}`), { code });

it.each([
  ['22003', true], // a number out of range
  ['23514', true], // a check
  ['54000', true], // too large
  ['23P01', false], // stretches of the ledger that overlap: ours
  ['53100', false], // a full disk
  ['25006', false], // read-only
  ['42703', false], // a column that is not there
  ['57P01', false], // shut down
])('SQLSTATE %s is the fault of the row: %s', (code, isFault) => {
  expect(isOfTheRow(thrown(code))).toBe(isFault);
});

it('a data point that was found invalid is the fault of the row', () => {
  expect(isOfTheRow(new AppError('DATA_POINT_INVALID', 'no'))).toBe(true);
  expect(isOfTheRow(new AppError('DATABASE_UNAVAILABLE', 'away'))).toBe(false);
});
