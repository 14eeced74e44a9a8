import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkCertificate, checkPort } from '../../src/doctor/listening.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { load } from '../config/load.ts';
import { temporary } from '../support/temporary.ts';

const NOBODY = () => Promise.resolve(false);

async function taken() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  return { port, [Symbol.asyncDispose]: async () => void (await once(server.close(), 'close')) };
}

describe('the port', () => {
  it('is free', async () => {
    const { port } = await (async () => {
      await using one = await taken();
      return { port: one.port };
    })();
    expect(await checkPort(load({ argv: ['--port', port] }), NOBODY)).toMatchObject({ level: 'ok' });
    expect(await checkPort(load({ argv: ['--port', '0'] }), NOBODY)).toMatchObject({ level: 'ok' });
  });

  it('is taken, by a stranger or by our own server', async () => {
    await using one = await taken();
    const config = load({ argv: ['--port', one.port] });
    expect(await checkPort(config, NOBODY)).toMatchObject({ level: 'fail', found: expect.stringContaining(one.port) });
    expect(await checkPort(config, () => Promise.resolve(true))).toMatchObject({ level: 'ok' });
  });

  it('is free at an address of IPv6 in brackets', async () => {
    const config = load({ argv: ['--port', '0', '--host', '[::1]'] });
    expect(await checkPort(config, NOBODY)).toMatchObject({ level: 'ok' });
  });

  it('cannot be listened on', async () => {
    const config = load({ argv: ['--port', '0'] });
    const elsewhere = { ...config, server: { ...config.server, host: '192.0.2.1' } };
    expect(await checkPort(elsewhere, NOBODY)).toMatchObject({
      level: 'fail',
      found: expect.stringContaining('EADDRNOTAVAIL'),
    });
  });
});

describe('the certificate', () => {
  const issue = (days: number) => {
    const directory = temporary();
    const [cert_file, key_file] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-subj', '/CN=a', '-days', String(days), '-keyout', key_file, '-out', cert_file];
    execFileSync('openssl', [...kind, ...files], { stdio: 'ignore' });
    return { cert_file, key_file };
  };
  const look = (tls: object, aheadDays = 0) => {
    const clock = { ...systemClock, now: () => systemClock.now() + aheadDays * 86_400_000 };
    return checkCertificate(load({ file: { tls } }), clock);
  };

  it('is looked at only where there is one', async () => {
    expect(await look({})).toEqual([]);
  });

  it.each([
    [0, 'ok'],
    [20, 'warn'],
    [31, 'fail'],
  ])('of thirty days is after %i days: %s', async (days, level) => {
    expect(await look(issue(30), days)).toMatchObject([{ check: 'certificate', level }]);
  });

  it('of another key, or nowhere, fails', async () => {
    const [one, other] = [issue(30), issue(30)];
    expect(await look({ ...one, key_file: other.key_file })).toMatchObject([
      { level: 'fail', found: expect.stringContaining('is not of the key') },
    ]);
    expect(await look({ ...one, cert_file: '/nowhere.pem' })).toMatchObject([
      { level: 'fail', found: expect.stringContaining('ENOENT') },
    ]);
  });
});
