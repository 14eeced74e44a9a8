import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { TokenPlace } from './tokens.ts';

const ISSUER = 'https://id.example';
const AUDIENCE = 'tcp-dashboard';
const HERE = '127.0.0.1';

/** Gives the keys; while `isAway`, nothing. */
const provider = { isAway: false, url: '', keys: { keys: [] as object[] } };
const server = createServer((_request, response) =>
  response.writeHead(provider.isAway ? 503 : 200).end(JSON.stringify(provider.keys)),
);
let [own, foreign]: Awaited<ReturnType<typeof generateKeyPair>>[] = [];
beforeAll(async () => {
  own = await generateKeyPair('ES256');
  foreign = await generateKeyPair('ES256');
  provider.keys = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256' }] };
  server.listen(0, HERE);
  await once(server, 'listening');
  provider.url = `http://${HERE}:${(server.address() as AddressInfo).port}/jwks.json`;
});
afterAll(() => server.close());

const place = new TokenPlace();
const open = (log: Log = silentLog) =>
  place.open({ log, jwt: { jwks_url: provider.url, issuer: ISSUER, audience: AUDIENCE, role_claim: 'roles' } });

const seconds = () => Math.floor(place.clock.now() / 1_000);
const claims = (more: JWTPayload = {}): JWTPayload => ({
  ...{ iss: ISSUER, aud: AUDIENCE, sub: 'ada', roles: ['control', 'guest'], exp: seconds() + 60 },
  ...more,
});
const sign = (
  payload: JWTPayload,
  key = own?.privateKey,
  header: { alg: string; kid?: string } = { alg: 'ES256', kid: 'own' },
) => new SignJWT(payload).setProtectedHeader(header).sign(key as CryptoKey);

it('takes the roles a provider names, until the token expires', async () => {
  using access = open();
  expect(access.isOpen).toBe(false);
  const principal = await access.identify(`Bearer ${await sign(claims())}`, HERE);
  expect(principal).toMatchObject({ name: 'ada', kind: 'jwt' });
  expect([...principal.roles].sort()).toEqual(['control', 'read']);
  expect(access.isCurrent(principal)).toBe(true);
  await place.clock.advance(60_000);
  expect(access.isCurrent(principal)).toBe(false);
  const one = await access.identify(`Bearer ${await sign(claims({ roles: 'account' }))}`, HERE);
  expect([...one.roles].sort()).toEqual(['account', 'read']);
});

it.each<[what: string, token: () => Promise<string>]>([
  ['of another issuer', () => sign(claims({ iss: 'https://evil.example' }))],
  ['for another audience', () => sign(claims({ aud: 'other' }))],
  ['that has expired', () => sign(claims({ exp: seconds() - 10 }))],
  ['that never expires', () => sign(claims({ exp: undefined as never }))],
  ['that is not valid yet', () => sign(claims({ nbf: seconds() + 60 }))],
  ['of nobody', () => sign(claims({ sub: undefined as never }))],
  ['signed by somebody else', () => sign(claims(), foreign?.privateKey)],
  ['by a key the provider does not have', () => sign(claims(), own?.privateKey, { alg: 'ES256', kid: 'other' })],
  [
    'signed with a shared secret',
    () => sign(claims(), new TextEncoder().encode('x'.repeat(32)) as never, { alg: 'HS256', kid: 'own' }),
  ],
  [
    'that is not signed',
    async () =>
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.AA`,
  ],
])('takes no token %s', async (_what, token) => {
  using access = open();
  await expect(access.identify(`Bearer ${await token()}`, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

it('reads no more of a provider than its keys may take', async () => {
  const { keys } = provider;
  provider.keys = Object.assign({ padding: 'x'.repeat(1024 * 1024) }, keys);
  try {
    using access = open();
    await expect(access.identify(`Bearer ${await sign(claims())}`, HERE)).rejects.toMatchObject({
      code: 'ACCESS_UNAVAILABLE',
    });
  } finally {
    provider.keys = keys;
  }
});

it('calls nobody by a name that fills a log', async () => {
  using access = open();
  const { name } = await access.identify(`Bearer ${await sign(claims({ sub: 'a'.repeat(1_000) }))}`, HERE);
  expect(name).toBe('a'.repeat(200));
});

it('says when the provider is away, and counts that against nobody', async () => {
  provider.isAway = true;
  const warnings: string[] = [];
  try {
    using access = open({ ...silentLog, warn: (message) => warnings.push(message) });
    for (let count = 0; count < 11; count += 1)
      await expect(access.identify(`Bearer ${await sign(claims())}`, HERE)).rejects.toMatchObject({
        code: 'ACCESS_UNAVAILABLE',
      });
    expect(access.refusals).toMatchObject({ wrong_token: 0, unavailable: 11 });
    expect(warnings).toHaveLength(1);
    await place.clock.advance(60_000);
    await expect(access.identify(`Bearer ${await sign(claims())}`, HERE)).rejects.toThrow();
    expect(warnings).toHaveLength(2);
  } finally {
    provider.isAway = false;
  }
});
