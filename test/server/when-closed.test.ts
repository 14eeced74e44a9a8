import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { whenClosed } from '../../src/server/when-closed.ts';

it('calls once when a response is closed, and at once when it was', async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  await using server = createServer((_request, response) => resolve(response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const leave = new AbortController();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asking = fetch(url, { signal: leave.signal }).catch(() => 'left');
  const response = await promise;
  const [before, after] = [vi.fn(), vi.fn()];
  whenClosed(response, before);
  expect(before).not.toHaveBeenCalled();
  leave.abort();
  expect(await asking).toBe('left');
  await vi.waitFor(() => expect(before).toHaveBeenCalledOnce());
  whenClosed(response, after);
  expect(after).toHaveBeenCalledOnce();
});
