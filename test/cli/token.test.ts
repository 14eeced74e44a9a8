import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { partsOf } from '../../src/access/token-text.ts';
import { temporary } from '../support/temporary.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/token.ts', import.meta.url));
const dataDir = temporary();

/** The real command. */
function run(...args: readonly string[]) {
  const { PATH = '', HOME = '' } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    ...{ env: { PATH, HOME, DATA_DIR: dataDir }, encoding: 'utf8' },
  });
  return { code: status, out: stdout, said: stderr };
}

it('makes a token and shows it once, lists it without it, and takes it back', () => {
  expect(run('list')).toMatchObject({ code: 0, out: '', said: expect.stringContaining('There are no tokens') });
  const made = run('create', '--name', 'ci', '--role', 'control', 'account', '--expires', '90d');
  expect(made).toMatchObject({ code: 0, said: expect.stringMatching(/may control, account and expires 2/) });
  const text = made.out.trim();
  const { id } = partsOf(text);
  expect(id).toMatch(/^[0-9a-f]{12}$/);

  const listed = run('list');
  expect(listed.out).toMatch(new RegExp(`^${id}  ci +control,account +made 2\\S+Z  expires 2\\S+Z\n$`));
  expect(listed.out).not.toContain(text.slice(-43));

  expect(run('create', '--name', 'ci', '--role', 'read')).toMatchObject({
    code: 1,
    out: '',
    said: expect.stringMatching(/^token: TOKEN_REFUSED: .*already/),
  });
  expect(run('revoke', id)).toMatchObject({ code: 0, said: expect.stringMatching(/^Revoked ci/) });
  expect(run('revoke', 'ci')).toMatchObject({ code: 0, said: expect.stringMatching(/before/) });
  expect(run('list').out).toContain('REVOKED 2');
});

it.each([
  ['a role there is not', ['create', '--name', 'ci', '--role', 'root'], /Allowed choices are read, control/],
  ['no role', ['create', '--name', 'ci'], /--role/],
  ['a life of nothing', ['create', '--name', 'ci', '--role', 'read', '--expires', '0d'], /such as 12h, 90d/],
  ['no name to revoke', ['revoke'], /name-or-id/],
])('ends with code 2 for %s', (_what, args, message) => {
  expect(run(...args)).toMatchObject({ code: 2, out: '', said: expect.stringMatching(message) });
});
