import { expect, it, vi } from 'vitest';
import { openAudit } from '../../src/auditing.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type AuditEntry, type AuditQuery, listAudit } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { useTestDatabase } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';

const db = useTestDatabase();
const START = Date.UTC(2026, 0, 1);
const entry = (k: number, principal: string): AuditEntry => ({
  ...{ at: START + k, principal, principalKind: 'token', action: k % 2 === 0 ? 'stopCollector' : 'startCollector' },
  ...{ target: 'okx:BTC-USDT', reason: k === 0 ? null : `reason ${k}`, outcome: 'DONE' },
});
const ask = (query: Partial<AuditQuery>) =>
  listAudit(db(), { ...{ principal: null, action: null, limit: 100, after: null }, ...query });
const reasonsOf = async (principal: string) => (await ask({ principal })).entries.map(({ reason }) => reason);

/** The database, which takes nothing while `isAway` says so. */
const shaky = (isAway: () => boolean): Database =>
  new Proxy(db(), {
    get: (target, name) => {
      if (name === 'writers' && isAway()) throw new AppError('DATABASE_UNAVAILABLE', 'away');
      return Reflect.get(target, name, target) as unknown;
    },
  });

it('keeps entries while the database is away, over a restart too, and each once', async () => {
  const dataDir = temporary();
  const ports = { clock: systemClock, log: silentLog };
  {
    using audit = openAudit(
      shaky(() => true),
      dataDir,
      ports,
    );
    for (const k of [0, 1, 2]) audit.append(entry(k, 'ada'));
  }
  expect(await reasonsOf('ada')).toEqual([]);
  let isAway = true;
  {
    using audit = openAudit(
      shaky(() => isAway),
      dataDir,
      ports,
    );
    audit.append(entry(3, 'ada'));
    isAway = false;
    await vi.waitFor(
      async () => expect(await reasonsOf('ada')).toEqual(['reason 3', 'reason 2', 'reason 1', null]),
      5_000,
    );
  }
  using audit = openAudit(db(), dataDir, ports);
  audit.append(entry(4, 'ada'));
  await vi.waitFor(async () => expect(await reasonsOf('ada')).toHaveLength(5));
  expect(await reasonsOf('ada')).toEqual(['reason 4', 'reason 3', 'reason 2', 'reason 1', null]);
});

it('lists the newest first, in pages, by whom and what', async () => {
  const dataDir = temporary();
  using audit = openAudit(db(), dataDir, { clock: systemClock, log: silentLog });
  for (const k of [0, 1, 2, 3]) audit.append({ ...entry(k, 'bob'), at: START + (k >> 1) });
  await vi.waitFor(async () => expect(await reasonsOf('bob')).toHaveLength(4));
  const first = await ask({ principal: 'bob', limit: 3 });
  expect(first).toMatchObject({
    hasMore: true,
    entries: [{ reason: 'reason 3' }, { reason: 'reason 2' }, { reason: 'reason 1' }],
  });
  const last = first.entries.at(-1);
  expect(await ask({ principal: 'bob', limit: 3, after: last ?? null })).toMatchObject({
    hasMore: false,
    entries: [{ reason: null }],
  });
  expect((await ask({ principal: 'bob', action: 'stopCollector' })).entries.map(({ at }) => at)).toEqual([
    START + 1,
    START,
  ]);
});
