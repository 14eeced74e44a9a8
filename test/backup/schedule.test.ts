import { expect, it } from 'vitest';
import { BackupSchedule } from '../../src/backup/backup-schedule.ts';
import type { BackupAnswer } from '../../src/backup/backup-worker.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { ManualClock, turn } from '../support/manual-clock.ts';
import { newKeys } from './keys.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MADE: BackupAnswer = { path: 'a', rows: 1, bytes: 1, verified: true, pruned: [] };

/** A schedule of six hours; what each of its runs answers, and what is found in the directory, is the test's. */
async function scheduled(answer: (time: number) => BackupAnswer = () => MADE) {
  const clock = new ManualClock();
  const runs: number[] = [];
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const log: Log = { debug: say, info: say, warn: say, error: say };
  const found: { newest: number | null } = { newest: null };
  const schedule = new BackupSchedule({
    ...{ everyMs: 6 * HOUR, keys: await newKeys(), clock, log },
    newest: () => Promise.resolve(found.newest),
    run: () => {
      runs.push(clock.monotonic());
      const told = answer(runs.length);
      if ('path' in told) found.newest = clock.now();
      return Promise.resolve(told);
    },
  });
  return { schedule, clock, found, runs, said };
}

it('makes one at once when there is none, and then as often as it is asked to', async () => {
  const { schedule, clock, runs, said } = await scheduled();
  await using _schedule = schedule;
  await clock.advance(13 * HOUR);
  expect(runs.map((time) => time / HOUR)).toEqual([1 / 60, 6 + 1 / 60, 12 + 1 / 60]);
  expect(new Set(said)).toEqual(new Set(['A backup was made and verified']));
});

it('counts from the newest that counts, whoever made it', async () => {
  const { schedule, clock, found, runs } = await scheduled();
  await using _schedule = schedule;
  found.newest = clock.now() - 5 * HOUR;
  await clock.advance(59 * MINUTE);
  expect(runs).toEqual([]);
  await clock.advance(MINUTE);
  expect(runs).toEqual([HOUR]);
});

it('tries again a quarter of an hour after a failure, and says why it failed', async () => {
  const { schedule, clock, runs, said } = await scheduled((time) =>
    time === 1 ? { code: 'DATABASE_UNAVAILABLE', message: 'away' } : MADE,
  );
  await using _schedule = schedule;
  await clock.advance(30 * MINUTE);
  expect(runs).toEqual([MINUTE, 16 * MINUTE]);
  expect(said).toEqual(['The backup failed; it is tried again', 'A backup was made and verified']);
});

it('goes on when the clock is put back, at the same pace', async () => {
  const { schedule, clock, found, runs } = await scheduled();
  await using _schedule = schedule;
  found.newest = clock.now() + 100 * 24 * HOUR;
  await clock.advance(5 * HOUR);
  found.newest = clock.now() + 100 * 24 * HOUR;
  await clock.advance(2 * HOUR);
  expect(runs).toEqual([MINUTE, 6 * HOUR + MINUTE]);
});

it('warns of one that nobody could verify here', async () => {
  const { schedule, clock, said } = await scheduled(() => ({ ...MADE, verified: false }));
  await using _schedule = schedule;
  await clock.advance(2 * MINUTE);
  expect(said).toEqual([expect.stringContaining('npm run backup -- verify')]);
});

it('ends one that is under way when the server stops', async () => {
  const clock = new ManualClock();
  const under = Promise.withResolvers<BackupAnswer>();
  let stopped = false;
  const schedule = new BackupSchedule({
    ...{ everyMs: HOUR, keys: await newKeys(), clock, log: { ...silentLog, error: () => expect.unreachable() } },
    newest: () => Promise.resolve(null),
    run: (stop) => {
      stop.addEventListener('abort', () => {
        stopped = true;
        under.reject(new Error('terminated'));
      });
      return under.promise;
    },
  });
  await clock.advance(MINUTE);
  await turn();
  await schedule[Symbol.asyncDispose]();
  expect(stopped).toBe(true);
});

it.each([
  [['age1nonsense'], /backup.recipients\[0\]/],
  [[], /BACKUP_PASSPHRASE/],
])('refuses to begin with recipients %j alone', (recipients, message) => {
  const keys = { recipients, passphrase: null, identity: null };
  const never = () => expect.unreachable();
  const options = { everyMs: HOUR, keys, newest: never, run: never, clock: new ManualClock(), log: silentLog };
  expect(() => new BackupSchedule(options)).toThrow(message);
});

it('tells how it is doing', async () => {
  const { schedule, clock, found } = await scheduled((time) =>
    time === 1 ? { code: 'DATABASE_UNAVAILABLE', message: 'away' } : MADE,
  );
  await using _schedule = schedule;
  expect(schedule.status()).toEqual({ everyMs: 6 * HOUR, newestAt: null, failures: 0, failing: false });
  await clock.advance(MINUTE);
  expect(schedule.status()).toMatchObject({ newestAt: null, failures: 1, failing: true });
  await clock.advance(15 * MINUTE);
  expect(schedule.status()).toMatchObject({ newestAt: found.newest, failures: 1, failing: false });
  expect(found.newest).toBe(clock.now());
});
