import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { backUpInThread } from '../../src/backup/backup-schedule.ts';
import { hasTestDatabase } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';
import { runCommand, startCommand } from './command.ts';
import { openFilled } from './filled.ts';
import { newKeys } from './keys.ts';

const CANARY = 'canary-of-the-backup-passphrase';

it('makes, lists, verifies and restores by hand, and never shows the passphrase', async () => {
  if (!hasTestDatabase) return;
  await using source = await openFilled(50);
  const folder = temporary();
  const directory = join(folder, 'backups');
  const secret = join(folder, 'passphrase');
  writeFileSync(secret, `${CANARY}\n`);
  const { url, dataDir } = source.place;
  const env = {
    ...(url !== null && { DATABASE_URL: url }),
    ...{ DATA_DIR: dataDir, BACKUP_DIRECTORY: directory },
  };
  const outputs: string[] = [];
  const run = async (
    name: 'backup' | 'restore',
    args: readonly string[],
    own: Readonly<Record<string, string>> = {},
  ) => {
    const fromFile = 'BACKUP_PASSPHRASE' in own ? {} : { BACKUP_PASSPHRASE_FILE: secret };
    const outcome = await runCommand(name, args, { ...env, ...fromFile, ...own });
    outputs.push(outcome.output);
    return outcome;
  };

  expect((await run('backup', ['list'])).output).toContain('There are no backups');
  const made = await run('backup', ['--no-verify']);
  expect(made.code).toBe(0);
  expect(made.output).toMatch(/rows of 2\S+Z, trades up to 2026-11-20T12:00\S+Z, \S+ kB/);
  expect(made.output).toContain('It does not count yet');
  expect((await run('backup', ['list'])).output).toContain('NOT verified');

  const wrong = await run('backup', ['verify'], { BACKUP_PASSPHRASE: 'not the passphrase' });
  expect(wrong).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^backup: BACKUP_KEY_WRONG: .*BACKUP_PASSPHRASE/),
  });
  expect(await run('backup', ['verify'])).toMatchObject({ code: 0, output: expect.stringContaining('Verified') });
  expect((await run('backup', ['list'])).output).toMatch(/verified 2\S+Z\n$/);

  expect((await run('backup', ['nonsense'])).code).toBe(2);
  expect((await run('restore', ['one', 'two'])).code).toBe(2);
  expect((await run('restore', ['--help'])).code).toBe(0);
  expect(await run('restore', ['nowhere'])).toMatchObject({
    code: 1,
    output: expect.stringContaining('There is no backup nowhere'),
  });
  expect(await run('backup', [], { BACKUP_PASSPHRASE: 'short' })).toMatchObject({ code: 78 });
  expect(await run('backup', [], { BACKUP_PASSPHRASE: '' })).toMatchObject({
    ...{ code: 78, output: expect.stringMatching(/CONFIG_INVALID: A key is needed.*BACKUP_PASSPHRASE/) },
  });

  const kept = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'latin1'));
  for (const text of [...outputs, ...kept])
    for (const form of [CANARY, Buffer.from(CANARY).toString('base64').slice(0, 30)]) expect(text).not.toContain(form);
}, 180_000);

it('is made by the server in a thread of its own, which takes back what is too old', async () => {
  if (!hasTestDatabase) return;
  await using source = await openFilled(50);
  const directory = join(temporary(), 'backups');
  const { url, dataDir } = source.place;
  const { recipients, identity } = await newKeys();
  const plan = {
    ...{ url, dataDir, directory, recipients, passphrase: null, identity: identity?.reveal() ?? null },
    retention: { keep: 1, keepDays: 30 },
  };
  const first = await backUpInThread(plan, new AbortController().signal);
  expect(first).toMatchObject({ verified: true, pruned: [] });
  const second = await backUpInThread(plan, new AbortController().signal);
  expect(second).toMatchObject({ verified: true, pruned: [expect.stringMatching(/^tcp-dashboard-.*\.age$/)] });
  expect(readdirSync(directory)).toHaveLength(2);
  expect(await backUpInThread({ ...plan, recipients: [] }, new AbortController().signal)).toMatchObject({
    code: 'CONFIG_INVALID',
  });
  await source.record(1_000, 10); // nobody was disturbed
}, 120_000);

it('leaves nothing of a check that a signal interrupts, and says so', async () => {
  if (!hasTestDatabase) return;
  await using source = await openFilled(50);
  const directory = join(temporary(), 'backups');
  const { url, dataDir } = source.place;
  const env = {
    ...(url !== null && { DATABASE_URL: url }),
    ...{ DATA_DIR: dataDir, BACKUP_DIRECTORY: directory, BACKUP_PASSPHRASE: CANARY },
  };
  expect((await runCommand('backup', ['--no-verify'], env)).code).toBe(0);
  const scratch = join(dataDir, 'backup-scratch');
  for (const signal of ['SIGHUP', 'SIGINT'] as const) {
    const { process: child, exit } = startCommand('backup', ['verify'], env);
    await vi.waitFor(() => expect(existsSync(join(scratch, 'verified'))).toBe(true), 60_000);
    child.kill(signal);
    expect(await exit, signal).toEqual({
      ...{ code: 130, output: expect.stringMatching(/^backup: interrupted; nothing was changed$/m) },
    });
    expect(readdirSync(scratch)).toEqual(['server.lock']);
  }
  expect((await runCommand('backup', ['list'], env)).output).toContain('NOT verified');
}, 180_000);
