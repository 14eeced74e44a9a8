import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DEMO = fileURLToPath(new URL('../../src/cli/demo.ts', import.meta.url));

test('the demo never looks at the database that the environment names', () => {
  // Ends over its port before it opens anything; whatever was read of the database would be a problem as well.
  const { status, stderr } = spawnSync(process.execPath, [DEMO, '--port', '99999'], {
    encoding: 'utf8',
    env: { DATABASE_URL: 'not a database', DATABASE_URL_FILE: '/nowhere' },
  });
  expect(stderr).toContain('1 problem;');
  expect(status).toBe(78);
});
