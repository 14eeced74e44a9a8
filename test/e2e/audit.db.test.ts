import { expect, it, vi } from 'vitest';
import { openAudit } from '../../src/auditing.ts';
import type { AskedMutation } from '../../src/graphql/context.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type AuditQuery, listAudit } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { useTestDatabase } from '../support/database.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { temporary } from '../support/temporary.ts';

const db = useTestDatabase();
const START = Date.UTC(2026, 0, 1);
const ports = { clock: systemClock, log: silentLog };
const asked = (k: number, principal: string): AskedMutation => ({
  ...{ at: START + k, principal, principalKind: 'token', action: k % 2 === 0 ? 'stopCollector' : 'startCollector' },
  ...{ target: 'okx:BTC-USDT', reason: k === 0 ? null : `reason ${k}`, address: '192.0.2.7' },
});
const ask = (query: Partial<AuditQuery>) =>
  listAudit(db(), { ...{ principal: null, action: null, limit: 1_000, after: null }, ...query });
const entriesOf = async (principal: string) => (await ask({ principal })).entries;
const reasonsOf = async (principal: string) => (await entriesOf(principal)).map(({ reason }) => reason);
const outcomesOf = async (principal: string) => (await entriesOf(principal)).map(({ outcome }) => outcome);

/** The database, which takes nothing while `isAway` says so. */
const shaky = (isAway: () => boolean): Database =>
  new Proxy(db(), {
    get: (target, name) => {
      if (name === 'writers' && isAway()) throw new AppError('DATABASE_UNAVAILABLE', 'away');
      return Reflect.get(target, name, target) as unknown;
    },
  });
const away = () => shaky(() => true);

it('keeps entries and outcomes while the database is away, over a restart too, and each once', async () => {
  const dataDir = temporary();
  let endLate = (_outcome: string) => {};
  {
    using audit = openAudit(away(), dataDir, ports);
    for (const k of [0, 1]) audit.begin(asked(k, 'ada'))('DONE');
    audit.begin(asked(2, 'ada'));
  }
  expect(await reasonsOf('ada')).toEqual([]);
  let isAway = true;
  {
    using audit = openAudit(
      shaky(() => isAway),
      dataDir,
      ports,
    );
    endLate = audit.begin(asked(3, 'ada'));
    isAway = false;
    await vi.waitFor(
      async () => expect(await outcomesOf('ada')).toEqual(['UNKNOWN', 'UNKNOWN', 'DONE', 'DONE']),
      5_000,
    );
    endLate('COLLECTOR_UNKNOWN');
    await vi.waitFor(async () => expect((await outcomesOf('ada'))[0]).toBe('COLLECTOR_UNKNOWN'));
  }
  using audit = openAudit(db(), dataDir, ports);
  audit.begin(asked(4, 'ada'))('DONE');
  await vi.waitFor(async () =>
    expect(await outcomesOf('ada')).toEqual(['DONE', 'COLLECTOR_UNKNOWN', 'UNKNOWN', 'DONE', 'DONE']),
  );
  expect(await reasonsOf('ada')).toEqual(['reason 4', 'reason 3', 'reason 2', 'reason 1', null]);
  expect((await entriesOf('ada'))[0]?.address).toBe('192.0.2.7');
});

it('has an entry on the disk when it begins, or does not begin', () => {
  const dataDir = temporary();
  const lines: string[] = [];
  {
    using audit = openAudit(away(), dataDir, { ...ports, log: { ...silentLog, error: (line) => lines.push(line) } });
    audit.begin(asked(0, 'eve'));
    audit[Symbol.dispose]();
    expect(() => audit.begin(asked(1, 'eve'))).toThrow(expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }));
  }
  expect(lines).toEqual(['The audit log takes no entry, so nothing is done']);
});

it('lists what is refused to an address and to all so often, and counts the rest', async () => {
  const clock = new ManualClock();
  using audit = openAudit(db(), temporary(), { clock, log: silentLog });
  const refuse = (address: string) => audit.refuse({ ...asked(1, 'mallory'), address });
  for (let times = 0; times < 8; times += 1) refuse('192.0.2.1');
  await vi.waitFor(async () => expect(await outcomesOf('mallory')).toEqual(Array(5).fill('REFUSED')));
  expect([audit.unlisted, audit.mayList('192.0.2.1'), audit.mayList('192.0.2.2')]).toEqual([3, false, true]);
  await clock.advance(60_000);
  for (let host = 0; host < 400; host += 1) refuse(`10.0.${host >> 8}.${host & 255}`);
  await vi.waitFor(async () => expect(await outcomesOf('mallory')).toHaveLength(300));
  expect(audit.unlisted).toBe(3 + 105);
  await clock.advance(3_600_000);
  expect(audit.mayList('192.0.2.1')).toBe(true);
});

it('lists the newest first, in pages, by whom and what', async () => {
  using audit = openAudit(db(), temporary(), ports);
  for (const k of [0, 1, 2, 3]) audit.begin({ ...asked(k, 'bob'), at: START + (k >> 1) })('DONE');
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
