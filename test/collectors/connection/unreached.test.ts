import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { openWebSocket, type SocketHandlers } from '../../../src/collectors/connection/socket.ts';

/** A port of this machine that nobody listens at any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

it('says in words why an exchange was not reached, and no address', async () => {
  const closed = Promise.withResolvers<string>();
  const nothing = () => {};
  const handlers: SocketHandlers = {
    ...{ opened: nothing, arrived: nothing, frame: nothing, binary: nothing, alive: nothing, violated: nothing },
    closed: (_code, reason) => closed.resolve(reason),
  };
  openWebSocket(`ws://127.0.0.1:${await closedPort()}/`, { maxFrameBytes: 1_024 }, handlers);
  expect(await closed.promise).toBe('nobody listens there (ECONNREFUSED)');
});
