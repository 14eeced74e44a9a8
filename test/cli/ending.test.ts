import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { portToComeBackTo } from '../support/port.ts';
import { temporary } from '../support/temporary.ts';
import { runMain } from '../support/whole-server.ts';

test('a server that still waits for its database ends by SIGTERM at once', async () => {
  const url = `postgres://somebody:anything@127.0.0.1:${await portToComeBackTo()}/database`;
  const server = runMain(['--port', '0', '--data-dir', temporary()], { DATABASE_URL: url });
  let output = '';
  server.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const exited = once(server, 'exit');
  await vi.waitFor(() => expect(output).toContain('The database does not answer yet'), { timeout: 20_000 });
  server.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
}, 60_000);
