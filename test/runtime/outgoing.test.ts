import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { webSocketOpener } from '../../src/collectors/connection/socket.ts';
import { isNetwork, Outgoing, type Resolve } from '../../src/runtime/outgoing.ts';
import { outgoingFetch } from '../../src/runtime/outgoing-fetch.ts';
import { refusalOf } from '../config/load.ts';

/** What must not be reached: whoever connects is counted and cut. */
let seen = 0;
const listener = createServer((socket) => {
  seen += 1;
  socket.on('error', () => {}).destroy();
});
let port = 0;
beforeAll(async () => {
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  ({ port } = listener.address() as AddressInfo);
});
afterAll(() => listener.close());
beforeEach(() => {
  seen = 0;
});

/** Why nothing came of a WebSocket. */
const overWebSocket = (outgoing: Outgoing, url: string): Promise<string> =>
  new Promise((resolve) => {
    const nothing = () => {};
    webSocketOpener(outgoing)(
      url,
      { maxFrameBytes: 1_000 },
      {
        ...{ opened: () => resolve('opened'), arrived: nothing, frame: nothing, binary: nothing },
        ...{ alive: nothing, violated: nothing },
        closed: (_code, reason) => resolve(reason),
      },
    );
  });

/** Why nothing came of a request. */
const overRest = (outgoing: Outgoing, url: string): Promise<string> =>
  outgoingFetch(outgoing)(new URL(url), { signal: AbortSignal.timeout(5_000) }).then(
    ({ status }) => `answered ${status}`,
    (error: Error & { readonly code?: string }) => `${error.code}: ${error.message}`,
  );

const names =
  (...addresses: readonly string[]): Resolve =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const INWARD = [
  ...['169.254.169.254', '0.0.0.0', '10.0.0.1', '100.64.0.1', '172.31.255.255', '192.168.1.1', '224.0.0.1'],
  ...['255.255.255.255', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:a9fe:a9fe]', '[::]', '[fe80::1]'],
  ...['[fd00::1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]'],
];

describe('nothing is connected to', () => {
  it.each(INWARD)('https://%s', async (host) => {
    const outgoing = new Outgoing();
    expect(await overWebSocket(outgoing, `wss://${host}:${port}/ws`)).toMatch(/outgoing\.allowed_networks/);
    expect(await overRest(outgoing, `https://${host}:${port}/`)).toMatch(
      /^UPSTREAM_UNSAFE: .*outgoing\.allowed_networks/,
    );
    expect(seen).toBe(0);
  });

  it.each(['ws://stream.example', 'http://api.example', 'file:///etc/passwd', 'unix:/run/socket', 'ftp://127.0.0.1'])(
    '%s, which is not encrypted',
    async (url) => {
      const outgoing = new Outgoing([], names('127.0.0.1'));
      expect(await overWebSocket(outgoing, url)).toMatch(/not encrypted/);
      expect(await overRest(outgoing, url)).toMatch(/^UPSTREAM_UNSAFE: .*not encrypted/);
      expect(seen).toBe(0);
    },
  );

  it.each([
    ['this machine', ['127.0.0.1']],
    ['this machine in IPv6', ['::ffff:127.0.0.1']],
    ['the addresses of a cloud', ['169.254.169.254']],
    ['a public address and this machine', ['203.0.113.7', '127.0.0.1']],
  ])('a name that turns out to mean %s', async (_what, addresses) => {
    const outgoing = new Outgoing([], names(...addresses));
    expect(await overWebSocket(outgoing, `wss://stream.example:${port}`)).toMatch(/stream\.example.*private network/);
    expect(await overRest(outgoing, `https://api.example:${port}`)).toMatch(/api\.example.*private network/);
    expect(seen).toBe(0);
  });
});

it('connects to the very address that was judged: a name is asked for once', async () => {
  let asked = 0;
  const resolver: Resolve = (_name, _options, callback) => {
    asked += 1;
    callback(null, [{ address: asked === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }]);
  };
  await overRest(new Outgoing(['127.0.0.2'], resolver), `https://api.example:${port}`);
  expect([asked, seen]).toEqual([1, 0]);
});

it.each(['127.0.0.1', '127.0.0.0/8', '127.0.0.1/32'])('reaches a mirror in an allowed network, %s', async (network) => {
  const outgoing = new Outgoing([network], names('127.0.0.1'));
  await overWebSocket(outgoing, `wss://mirror.example:${port}`);
  await overRest(outgoing, `https://mirror.example:${port}`);
  await overRest(outgoing, `https://127.0.0.1:${port}`);
  expect(seen).toBe(3);
});

it('reaches this machine where the URL says so, as of a simulator', async () => {
  await overWebSocket(new Outgoing(), `ws://127.0.0.1:${port}`);
  await overRest(new Outgoing(), `http://localhost:${port}`);
  expect(seen).toBe(2);
});

it.each([302, 301, 303, 307, 308])('does not follow a redirect, %s', async (status) => {
  const { createServer: createHttpServer } = await import('node:http');
  const redirecting = createHttpServer((_request, response) =>
    response.writeHead(status, { location: `http://127.0.0.1:${port}/` }).end(),
  );
  redirecting.on('upgrade', (_request, socket) =>
    socket.end(`HTTP/1.1 ${status} Found\r\nLocation: ws://127.0.0.1:${port}/\r\nContent-Length: 0\r\n\r\n`),
  );
  await once(redirecting.listen(0, '127.0.0.1'), 'listening');
  const at = `127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
  expect(await overWebSocket(new Outgoing(), `ws://${at}`)).toBe(`the handshake was answered with HTTP ${status}`);
  expect(await overRest(new Outgoing(), `http://${at}`)).toBe(`answered ${status}`);
  expect(seen).toBe(0);
  redirecting.close();
});

describe('the configuration', () => {
  const exchange = (connection: object) => ({ exchanges: [{ exchange: 'okx', connection }] });
  const jwt = (jwks_url: string) => ({ access: { jwt: { jwks_url, issuer: 'i', audience: 'a' } } });

  it.each([
    ...['http://127.1', 'http://0x7f000001', 'http://2130706433', 'http://0177.0.0.1', 'http://[::ffff:127.0.0.1]'],
    ...[
      'https://127.1',
      'file:///etc/passwd',
      'unix:/run/socket',
      'https://a.example\r\nHost: b',
      'https://a\n.example',
    ],
    ...[
      'https:\\\\a.example',
      'https:a.example',
      'https://a.example/\r\nx',
      'https://ａ.example',
      'https://user@a.example',
    ],
    ...['http://a.example', 'http://10.0.0.1', '//a.example', ' https://a.example', 'https://a.example:443 '],
  ])('takes no %j', (url) => {
    const websocket = url.replace('http', 'ws');
    for (const file of [exchange({ rest_url: url }), exchange({ public_ws_url: websocket }), jwt(url)])
      expect(refusalOf({ file })?.problems).toHaveLength(1);
  });

  it.each([
    'https://a.example',
    'https://A.example:443/x?y=%20',
    'http://127.0.0.1:1',
    'http://[::1]:1/x',
    'http://localhost',
  ])('takes %s', (url) => {
    expect(refusalOf({ file: exchange({ rest_url: url }) })).toBeNull();
    expect(refusalOf({ file: exchange({ public_ws_url: url.replace('http', 'ws') }) })).toBeNull();
    expect(refusalOf({ file: jwt(url) })).toBeNull();
  });

  it('takes addresses and networks to allow, and nothing else', () => {
    for (const good of ['10.0.0.0/8', '::1', 'fd00::/8', '192.168.1.7', '0.0.0.0/0'])
      expect(isNetwork(good)).toBe(true);
    for (const bad of ['10.0.0.0/33', 'fd00::/129', 'a.example', '10.0.0.0/8/8', '10.0.0/8', '', '/8', '10.0.0.0/'])
      expect(isNetwork(bad)).toBe(false);
    const file = { outgoing: { allowed_networks: ['10.0.0.0/8', 'mirror.example'] } };
    expect(refusalOf({ file })?.problems).toEqual([expect.stringContaining('outgoing.allowed_networks[1]')]);
  });
});
