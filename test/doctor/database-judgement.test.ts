import { expect, it } from 'vitest';
import { judge } from '../../src/doctor/database.ts';
import type { DatabaseFacts } from '../../src/storage/database-facts.ts';

const SOUND: DatabaseFacts = {
  ...{ version: '17.2', versionNumber: 170_002, encoding: 'UTF8', timeZone: 'Etc/UTC' },
  ...{ clockSkewMs: 3, roundTripMs: 1, unsafe: [], maxConnections: 97, usedConnections: 5 },
  ...{ readOnly: false, missing: [], migrations: ['1_first', '2_second'] },
};
const KNOWN = ['1_first', '2_second'];

const levels = (facts: Partial<DatabaseFacts>) =>
  Object.fromEntries(judge({ ...SOUND, ...facts }, 30, KNOWN).map(({ check, level }) => [check, level]));

it('finds nothing wrong with a sound database', () => {
  expect(new Set(Object.values(levels({})))).toEqual(new Set(['ok']));
  expect(levels({ migrations: [] })['database-migrations']).toBe('ok');
});

it.each<[string, Partial<DatabaseFacts>, string]>([
  ['database-version', { versionNumber: 140_011, version: '14.11' }, 'fail'],
  ['database-encoding', { encoding: 'SQL_ASCII' }, 'fail'],
  ['database-time-zone', { timeZone: 'Europe/Berlin' }, 'warn'],
  ['database-clock', { clockSkewMs: -1_500 }, 'warn'],
  ['database-clock', { clockSkewMs: 61_000 }, 'fail'],
  ['database-durability', { unsafe: ['fsync'] }, 'warn'],
  ['database-connections', { usedConnections: 66 }, 'warn'],
  ['database-privileges', { missing: ['create on the schema public, for the views'] }, 'fail'],
  ['database-privileges', { readOnly: true }, 'fail'],
  ['database-migrations', { migrations: ['1_first'] }, 'warn'],
  ['database-migrations', { migrations: [...KNOWN, '3_third'] }, 'warn'],
])('finds what is wrong: %s of %j', (check, facts, level) => {
  expect(levels(facts)).toMatchObject({ [check]: level });
  expect(judge({ ...SOUND, ...facts }, 30, KNOWN).filter((finding) => finding.level !== 'ok')).toMatchObject([
    { check, advice: expect.stringMatching(/./) },
  ]);
});

it('believes a slow way more than a clock', () => {
  expect(levels({ clockSkewMs: 1_500, roundTripMs: 1_200 })['database-clock']).toBe('ok');
});
