import { expect, it, vi } from 'vitest';
import { othersWrite } from '../../src/storage/writer-slot.ts';
import { testDatabaseKind, useTestDatabase } from '../support/database.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();

it.runIf(testDatabaseKind() === 'postgres')('takes a slot it is about to have for nobody else’s', async () => {
  await (await openTestWriter(db()))[Symbol.asyncDispose]();
  const holder = await db().connect('holder of the row');
  await holder.query({ text: 'begin' });
  await holder.query({ text: 'select from tcp_dashboard.writer for update' });
  const opening = openTestWriter(db());
  await vi.waitFor(async () => {
    const waiting = await holder.query({
      text: `select from pg_locks where locktype = 'transactionid' and not granted`,
    });
    expect(waiting).toHaveLength(1);
  }, 5_000);
  expect(await othersWrite(db())).toBe(false);
  await holder.query({ text: 'rollback' });
  await (await opening)[Symbol.asyncDispose]();
  await holder.close();
});
