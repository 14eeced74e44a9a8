import { chownSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it, vi } from 'vitest';
import { ROLES } from '../../src/access/role.ts';
import { TokenFile } from '../../src/access/token-file.ts';
import { revokeToken } from '../../src/access/tokens.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { TokenPlace } from './tokens.ts';

const HERE = '127.0.0.1';
const rolesOf = (principal: { readonly roles: ReadonlySet<string> }) => [...principal.roles].sort();
const refused = (code: string, message = /./) => ({ code, message: expect.stringMatching(message) });

it('lets everybody do everything on a machine without tokens', async () => {
  const place = new TokenPlace();
  using access = place.open();
  expect(access.isOpen).toBe(true);
  const principal = await access.identify(null, HERE);
  expect(principal).toMatchObject({ name: 'local', kind: 'open' });
  expect(rolesOf(principal)).toEqual([...ROLES].sort());
});

it('does not open a server others reach and nobody has a token for', async () => {
  const place = new TokenPlace();
  expect(() => place.open({ isLocal: false })).toThrow(/npm run token/);
  expect(() => place.open({ isLocal: false, anonymous: 'read' })).toThrow(/npm run token/);
  place.token('ci', 'read', 1_000);
  await place.clock.advance(1_000);
  expect(() => place.open({ isLocal: false })).toThrow(/npm run token/);
  place.token('other', 'read');
  using access = place.open({ isLocal: false });
  expect(access.isOpen).toBe(false);
});

it.each([
  ['read', ['read']],
  ['control', ['control', 'read']],
  ['account', ['account', 'read']],
  ['admin', ['account', 'admin', 'control', 'read']],
] as const)('knows the owner of a token with %s', async (role, roles) => {
  const place = new TokenPlace();
  const text = place.token('ci', role);
  using access = place.open();
  const principal = await access.identify(`Bearer ${text}`, HERE);
  expect(principal).toMatchObject({ name: 'ci', kind: 'token', expiresAt: null });
  expect(rolesOf(principal)).toEqual(roles);
  expect(await access.identify(`bearer ${text}`, HERE)).toBe(principal);
});

it.each([
  ['none', 'nothing', []],
  ['read', 'reading', ['read']],
  [null, 'nothing', []],
] as const)('with anonymous: %s allows %s without a token', async (anonymous, _what, roles) => {
  const place = new TokenPlace();
  place.token('ci', 'read');
  using access = place.open({ anonymous });
  expect(rolesOf(await access.identify(null, HERE))).toEqual(roles);
});

it('accepts no other text, and says of none why', async () => {
  const place = new TokenPlace();
  const text = place.token('ci', 'admin');
  using access = place.open({ anonymous: 'read' });
  const last = text.endsWith('A') ? 'B' : 'A';
  const wrong = [
    `Bearer ${text.slice(0, -1)}${last}`,
    `Bearer tcpd_${'0'.repeat(12)}_${text.slice(-43)}`,
    'Bearer',
    'Bearer ',
    '',
    `Basic ${text}`,
    `Bearer ${text} ${text}`,
    text,
  ];
  const messages = new Set<string>();
  for (const [at, authorization] of wrong.entries())
    await access.identify(authorization, `10.0.0.${at}`).catch((error) => {
      expect(error).toMatchObject(refused('UNAUTHENTICATED'));
      messages.add(error.message);
    });
  expect(messages.size).toBe(1);
  expect(access.refusals.wrong_token).toBe(wrong.length);
});

it('ends what a token has open within two seconds of its being revoked', async () => {
  const place = new TokenPlace();
  const text = place.token('ci', 'read');
  const other = place.token('other', 'read');
  using access = place.open();
  const [own, others] = [vi.fn(), vi.fn()];
  access.hold(await access.identify(`Bearer ${text}`, HERE), own);
  access.hold(await access.identify(`Bearer ${other}`, HERE), others);
  using _gone = access.hold(await access.identify(`Bearer ${text}`, HERE), () => expect.fail('it was over before'));
  _gone[Symbol.dispose]();
  await place.clock.advance(1_000);
  expect(own).not.toHaveBeenCalled();
  revokeToken(place.file, 'ci', place.clock.now());
  await place.clock.advance(2_000);
  expect(own).toHaveBeenCalledTimes(1);
  await expect(access.identify(`Bearer ${text}`, HERE)).rejects.toMatchObject(refused('UNAUTHENTICATED', /revoked/));
  expect(others).not.toHaveBeenCalled();
  expect((await access.identify(`Bearer ${other}`, HERE)).name).toBe('other');
});

it('ends what a token has open when it expires', async () => {
  const place = new TokenPlace();
  const text = place.token('ci', 'read', 5_000);
  using access = place.open();
  const ended = vi.fn();
  access.hold(await access.identify(`Bearer ${text}`, HERE), ended);
  await place.clock.advance(4_500);
  expect(ended).not.toHaveBeenCalled();
  await place.clock.advance(1_500);
  expect(ended).toHaveBeenCalledTimes(1);
  await expect(access.identify(`Bearer ${text}`, HERE)).rejects.toMatchObject(refused('UNAUTHENTICATED', /expired/));
});

it('closes an open server with the first token, for good', async () => {
  const place = new TokenPlace();
  using access = place.open();
  const ended = vi.fn();
  access.hold(await access.identify(null, HERE), ended);
  place.token('ci', 'read');
  await place.clock.advance(1_000);
  expect(access.isOpen).toBe(false);
  expect(ended).toHaveBeenCalledTimes(1);
  rmSync(place.file.path);
  await place.clock.advance(1_000);
  expect(access.isOpen).toBe(false);
  expect(rolesOf(await access.identify(null, HERE))).toEqual([]);
});

it('accepts no token while the file makes no sense, and starts no server over one', async () => {
  const place = new TokenPlace();
  const text = place.token('ci', 'read');
  using access = place.open();
  const principal = await access.identify(`Bearer ${text}`, HERE);
  writeFileSync(place.file.path, '{ "tokens": [{}] }');
  await place.clock.advance(1_000);
  expect(access.isCurrent(principal)).toBe(false);
  expect(access.isOpen).toBe(false);
  await expect(access.identify(`Bearer ${text}`, HERE)).rejects.toMatchObject(refused('UNAUTHENTICATED'));
  expect(() => place.open()).toThrow(/cannot be read/);
});

it('accepts tokens again as soon as they can be read, whatever was in the way, and complains of it once', async () => {
  const place = new TokenPlace();
  const text = place.token('ci', 'read');
  const error = vi.fn();
  using access = place.open({ log: { ...silentLog, error } });
  place.token('other', 'read');
  const read = vi.spyOn(TokenFile.prototype, 'read').mockImplementation(() => {
    throw new Error('EACCES');
  });
  await place.clock.advance(3_000);
  await expect(access.identify(`Bearer ${text}`, HERE)).rejects.toMatchObject(refused('UNAUTHENTICATED'));
  expect(error).toHaveBeenCalledTimes(1);
  read.mockRestore();
  await place.clock.advance(1_000);
  expect((await access.identify(`Bearer ${text}`, HERE)).name).toBe('ci');
});

it('lets ten wrong tokens a minute of an address through to the comparison', async () => {
  const place = new TokenPlace();
  const text = place.token('ci', 'read');
  using access = place.open();
  const codes: string[] = [];
  for (let count = 0; count < 1_000; count += 1)
    await access.identify('Bearer wrong', HERE).catch(({ code }) => codes.push(code));
  expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(10);
  expect(access.refusals).toMatchObject({ wrong_token: 10, too_many_failures: 990 });
  await expect(access.identify(`Bearer ${text}`, `::ffff:${HERE}`)).rejects.toMatchObject(
    refused('TOO_MANY_FAILURES', /in 60 s/),
  );
  expect((await access.identify(`Bearer ${text}`, '127.0.0.2')).name).toBe('ci');
  await place.clock.advance(60_000);
  expect((await access.identify(`Bearer ${text}`, HERE)).name).toBe('ci');
});

it('takes a network of IPv6 for one address', async () => {
  const place = new TokenPlace();
  place.token('ci', 'read');
  using access = place.open();
  for (let count = 0; count < 10; count += 1)
    await access.identify('Bearer wrong', `2001:db8::${count}`).catch(() => {});
  const codeAt = (address: string) => access.identify('Bearer wrong', address).catch(({ code }) => code);
  expect(await codeAt('2001:db8:0:0:1:2:3:4')).toBe('TOO_MANY_FAILURES');
  expect(await codeAt('2001:db8:0:1::1')).toBe('UNAUTHENTICATED');
});

it('keeps tokens as hashes, in a file and a folder for their owner only, whatever the umask', () => {
  const before = process.umask(0);
  try {
    const place = new TokenPlace();
    const text = place.token('ci', 'read');
    expect(statSync(place.file.path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(place.file.path)).mode & 0o777).toBe(0o700);
    expect(JSON.stringify(place.file.read())).not.toContain(text.slice(-43)); // its secret, which may hold a _ itself
  } finally {
    process.umask(before);
  }
});

it('changes tokens whole or not at all', () => {
  const place = new TokenPlace();
  place.token('ci', 'read');
  expect(() => place.token('ci', 'read')).toThrow(/already/);
  expect(() => place.token('no name', 'read')).toThrow(/begins with a letter/);
  expect(() => revokeToken(place.file, 'nobody', 0)).toThrow(/no token "nobody"/);
  place.token('other', 'read');
  writeFileSync(`${place.file.path}.new`, '');
  expect(() => place.token('third', 'read')).toThrow(/no other command changes tokens/);
  expect(place.file.read().map(({ name }) => name)).toEqual(['ci', 'other']);
});

it.runIf(process.getuid?.() === 0)('leaves what root makes to the owner of the data directory', () => {
  const place = new TokenPlace();
  chownSync(place.dataDir, 1_234, 1_235);
  place.token('ci', 'read');
  for (const path of [place.file.path, dirname(place.file.path)])
    expect(statSync(path)).toMatchObject({ uid: 1_234, gid: 1_235 });
});
