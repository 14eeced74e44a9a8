import { expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { dropOldAudit, keepAudit, listAudit } from '../../src/storage/audit.ts';
import { ensurePartitions } from '../../src/storage/partitions.ts';
import { openTestDatabase } from '../support/database.ts';
import { scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const KEPT = 400 * DAY;

it('drops old entries day by day, leaves the newest of each log, and doubts a clock that jumped', async () => {
  let now = START;
  const clock = { ...systemClock, now: () => now };
  await using db = await openTestDatabase({ clock });
  const entry = (day: number) => ({
    ...{ at: START + day * DAY, principal: `${day}`, principalKind: 'token', address: null },
    ...{ action: 'stopAllCollectors', target: null, reason: null, outcome: 'DONE' },
  });
  await keepAudit(
    db,
    'a',
    [0, 20, 390].map((day, index) => ({ number: index + 1, event: entry(day) })),
  );
  await keepAudit(db, 'b', [{ number: 7, event: entry(1) }]);
  const left = async () =>
    (await listAudit(db, { principal: null, action: null, limit: 10, after: null })).entries.map(
      (one) => one.principal,
    );
  const dropAt = (day: number) => {
    now = START + day * DAY;
    return dropOldAudit(db, KEPT, now);
  };

  expect(await dropAt(400)).toBeNull();
  expect(await left()).toEqual(['390', '20', '1', '0']);
  expect(await dropAt(410)).toBeNull();
  expect(await left()).toEqual(['390', '20', '1']);
  expect(await dropAt(900)).toMatch(
    /^490 days of the audit log would be dropped at once and our clock says 2028-06-19/,
  );
  expect(await left()).toEqual(['390', '20', '1']);

  await ensurePartitions(db, now, now);
  await using writer = await openTestWriter(db, { clock });
  await writer.write([toRecord(scene().trade(1, { exchangeTime: now }))]);
  expect(await dropAt(900)).toBeNull();
  expect(await left()).toEqual(['390', '1']);
});
