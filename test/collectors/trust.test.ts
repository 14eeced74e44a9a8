import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ExchangeFactory } from '../../src/collectors/exchange-factory.ts';
import { Outgoing } from '../../src/runtime/outgoing.ts';
import { outgoingFetch } from '../../src/runtime/outgoing-fetch.ts';
import { setTlsFloor } from '../../src/runtime/tls-floor.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { HostileExchange } from '../security/hostile-exchange.ts';
import { temporary } from '../support/temporary.ts';

const NAMES = ['localhost', 'other.example'] as const;
type Identity = { readonly key: Buffer; readonly cert: Buffer };
const identities = new Map<string, Identity>();
const identity = (name: string): Identity => {
  const found = identities.get(name);
  if (found) return found;
  throw new Error(`no certificate of ${name}`);
};

beforeAll(() => {
  const directory = temporary();
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const keyOf = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...keyOf, '-days', '1', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl(
    'req',
    '-x509',
    ...keyOf,
    '-days',
    '1',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-keyout',
    'self-signed.key',
    '-out',
    'self-signed.pem',
  );
  writeFileSync(join(directory, 'index.txt'), '');
  writeFileSync(join(directory, 'serial'), '01\n');
  writeFileSync(
    join(directory, 'ca.conf'),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n`,
  );
  const issue = (file: string, name: string, end: string) => {
    openssl(
      'req',
      ...keyOf,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
      '-keyout',
      `${file}.key`,
      '-out',
      `${file}.csr`,
    );
    openssl(
      'ca',
      '-batch',
      '-config',
      'ca.conf',
      '-in',
      `${file}.csr`,
      '-out',
      `${file}.pem`,
      '-notext',
      '-startdate',
      '20200101000000Z',
      '-enddate',
      end,
    );
  };
  for (const name of NAMES) issue(name, name, '20990101000000Z');
  issue('expired', 'localhost', '20210101000000Z');
  for (const name of [...NAMES, 'expired', 'self-signed'])
    identities.set(name, {
      key: readFileSync(join(directory, `${name}.key`)),
      cert: readFileSync(join(directory, `${name}.pem`)),
    });
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(join(directory, 'ca.pem'), 'utf8')]);
});
afterEach(() => setTlsFloor('TLSv1.2'));

/** A collector of an exchange behind TLS of the given kind. OKX is reached by its socket first, Binance by a request. */
async function collect(exchange: 'okx' | 'binance', options: tls.TlsOptions) {
  await using opening = new AsyncDisposableStack();
  const simulator = opening.use(await startSimulator({ exchange, rate: 100 }));
  const hostile = opening.use(await HostileExchange.start({ upstream: simulator, tls: options }));
  const connections = { [exchange]: hostile.connectionThrough(simulator.connection, 'localhost') };
  const factory = opening.use(new ExchangeFactory({ connections }));
  const collector = factory.createCollector({ exchange, symbol: 'BTC-USDT', dataTypes: ['trade'] });
  opening.defer(() => collector.stop({ force: true }));
  const opened = opening.move();
  return { collector, hostile, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

describe.each(['okx', 'binance'] as const)('%s', (exchange) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is trusted with a certificate of its name, over %s', async (maxVersion) => {
    await using collecting = await collect(exchange, { ...identity('localhost'), maxVersion });
    expect(await collecting.collector.start()).toBe(true);
    expect(collecting.collector.getHealthStatus().issues).toEqual([]);
  });

  it.each([
    ['a certificate it signed itself', () => identity('self-signed'), /vouched for by nobody.*NODE_EXTRA_CA_CERTS/],
    ['a certificate of another name', () => identity('other.example'), /for other names; correct the URL/],
    ['a certificate that has expired', () => identity('expired'), /has expired; .*clock/],
    [
      'TLS 1.2 where 1.3 is asked for',
      () => {
        setTlsFloor('TLSv1.3');
        return { ...identity('localhost'), maxVersion: 'TLSv1.2' as const };
      },
      /does not speak TLSv1\.3 or newer; tls\.outgoing_min_version/,
    ],
  ])('is refused with %s, and health says why and what to do', async (_what, options, said) => {
    await using collecting = await collect(exchange, options());
    const { collector } = collecting;
    const started = collector.start();
    await vi.waitFor(() => expect(collector.getHealthStatus().issues.join()).toMatch(said), 10_000);
    expect(collector.getHealthStatus().issues.join()).toContain(
      `Nothing is sent to localhost:${collecting.hostile.port}`,
    );
    await collector.stop({ force: true });
    await started;
  });

  it('is refused also where the environment says to trust everybody', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    await using collecting = await collect(exchange, identity('self-signed'));
    const { collector } = collecting;
    const started = collector.start();
    await vi.waitFor(() => expect(collector.getHealthStatus().issues.join()).toMatch(/vouched for by nobody/), 10_000);
    await collector.stop({ force: true });
    await started;
    vi.unstubAllEnvs();
  });
});

// Of a collector the socket alone would show it.
it.each([
  ['that it signed itself', 'self-signed', '1'],
  ['that it signed itself, where the environment says to trust everybody', 'self-signed', '0'],
  ['of another name', 'other.example', '1'],
  ['that has expired', 'expired', '1'],
])('a request sends nothing to who shows a certificate %s', async (_what, name, trusted) => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', trusted);
  const asked = vi.fn();
  const server = createServer(identity(name), (_request, response) => {
    asked();
    response.end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  onTestFinished(() => void vi.unstubAllEnvs());
  await once(server, 'listening');
  const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/`);
  const signal = AbortSignal.timeout(10_000);
  await expect(outgoingFetch(new Outgoing())(url, { signal })).rejects.toMatchObject({ code: 'UPSTREAM_UNSAFE' });
  expect(asked).not.toHaveBeenCalled();
});
