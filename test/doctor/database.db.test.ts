import { expect, it } from 'vitest';
import { checkDatabase } from '../../src/doctor/database.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { load } from '../config/load.ts';
import { administer, databaseOptions, freshDatabaseUrl, freshOptions, testDatabaseKind } from '../support/database.ts';

const told = async (url: string | null) =>
  Object.fromEntries(
    (await checkDatabase(load({ env: url === null ? {} : { DATABASE_URL: url } }), systemClock)).map((finding) => [
      finding.check,
      finding,
    ]),
  );

it('leaves the embedded database to its server', async ({ skip }) => {
  if (testDatabaseKind() !== 'embedded') skip('for the embedded database');
  expect((await databaseOptions()).url).toBeNull();
  expect(Object.keys(await told(null))).toEqual(['database-reach']);
});

it('finds an empty database fine, and one with our tables too', async ({ skip }) => {
  if (testDatabaseKind() !== 'postgres') skip('for native Postgres');
  const { url } = await databaseOptions();
  const before = await told(url);
  expect(before).toMatchObject({
    ...{
      'database-reach': { level: 'ok' },
      'database-version': { level: 'ok' },
      'database-encoding': { found: 'UTF8' },
    },
    ...{ 'database-clock': { level: 'ok' }, 'database-privileges': { level: 'ok' } },
    'database-migrations': { level: 'ok', found: expect.stringContaining('first start') },
    'database-durability': { level: 'warn', found: 'fsync is off' },
  });
  await using _db = await openDatabase({ ...(await freshOptions()), url });
  expect((await told(url))['database-migrations']).toMatchObject({
    level: 'ok',
    found: expect.stringMatching(/^all \d/),
  });
});

it('names what a poor user lacks, and who must not come in', async ({ skip }) => {
  if (testDatabaseKind() !== 'postgres') skip('for native Postgres');
  const url = new URL(await freshDatabaseUrl());
  const role = `poor_${url.pathname.slice(-8)}`;
  await administer(`create role ${role} login`);
  try {
    url.username = role;
    const { 'database-privileges': found } = await told(url.href);
    expect(found).toMatchObject({
      level: 'fail',
      found: expect.stringMatching(/create on the database.*create on the schema public/),
    });
    url.pathname = '/not_there';
    expect(await told(url.href)).toMatchObject({
      'database-reach': { level: 'fail', advice: expect.stringContaining('createdb') },
    });
  } finally {
    await administer(`drop role ${role}`);
  }
});

it('sees when it is of another owner, read-only or in another time zone', async ({ skip }) => {
  if (testDatabaseKind() !== 'postgres') skip('for native Postgres');
  const options = await freshOptions();
  const url = new URL(options.url ?? '');
  {
    await using _db = await openDatabase(options);
  }
  const name = url.pathname.slice(1);
  const role = `other_${name.slice(-8)}`;
  await administer(`create role ${role} login`);
  await administer(`alter database ${name} set timezone = 'Europe/Berlin'`);
  await administer(`alter database ${name} set default_transaction_read_only = on`);
  try {
    expect(await told(url.href)).toMatchObject({
      'database-time-zone': { level: 'warn' },
      'database-privileges': { level: 'fail', found: 'it is read-only' },
    });
    await administer(`alter database ${name} reset default_transaction_read_only`);
    url.username = role;
    const { 'database-privileges': found } = await told(url.href);
    expect(found?.found).toMatch(/create on the schema tcp_dashboard.*ownership of \d+ tables/);
  } finally {
    await administer(`drop role ${role}`);
  }
});

it('does not answer at all', async () => {
  expect(await told('postgres://user:hidden-word@127.0.0.1:9/none')).toMatchObject({
    'database-reach': { level: 'fail', advice: expect.stringContaining('Start it') },
  });
});
