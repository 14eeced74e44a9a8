import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { KeptConnection } from '../support/kept-connection.ts';
import { noExports, serve } from './served.ts';

it('is not ready at once when it ends, on connections that are open, while what is under way is answered', async () => {
  const begun = Promise.withResolvers<void>();
  const found = Promise.withResolvers<object>();
  const manifest = () => {
    begun.resolve();
    return found.promise;
  };
  await using served = await serve({ exports: { ...noExports, manifest } });
  const { url, port } = served.server;
  using probe = new KeptConnection();
  using other = new KeptConnection();
  expect(await probe.get(`${url}/readyz`)).toMatchObject({ status: 200, connection: 'keep-alive' });
  const underWay = other.get(`${url}/export/manifest`);
  await begun.promise;

  const ended = served.server[Symbol.asyncDispose]();
  expect(await probe.get(`${url}/readyz`)).toEqual({ status: 503, body: 'not ready\n', connection: 'close' });
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
  found.resolve({ rows: 7 });
  expect(await underWay).toMatchObject({ status: 200, body: expect.stringContaining('7') });
  await ended;
});

it('waits for no connection that is open without a question', async () => {
  const neverLate = { ...systemClock, sleep: () => new Promise<void>(() => {}) };
  await using served = await serve({ clock: neverLate });
  using probe = new KeptConnection();
  expect((await probe.get(`${served.server.url}/livez`)).connection).toBe('keep-alive');
  await served.server[Symbol.asyncDispose]();
}, 4_000); // Node itself would cut it after five seconds
