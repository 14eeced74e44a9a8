import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { revokeToken } from '../../src/access/tokens.ts';
import { loadConfig } from '../../src/config/config.ts';
import { checkTokens } from '../../src/doctor/tokens.ts';
import { TokenPlace } from '../access/tokens.ts';

const DAY_MS = 86_400_000;
const JWT = { jwks_url: 'https://id.example/jwks', issuer: 'https://id.example', audience: 'us' };

function look(place: TokenPlace, host = '127.0.0.1', jwt: object | null = null) {
  const config = loadConfig({
    argv: ['--config', 'config.json', '--host', host, '--data-dir', place.dataDir],
    env: {},
    readFile: () => JSON.stringify({ exchanges: [], access: { jwt } }),
  });
  return checkTokens(config, place.clock).map(({ check, level, found }) => `${check} ${level} ${found}`);
}
const closed = (place: TokenPlace) => `token-file ok ${place.file.path} is closed to others`;

it('wants a token where others reach the server, and none where only this machine does', () => {
  const place = new TokenPlace();
  expect(look(place)).toEqual(['tokens ok none: only this machine reaches the server, and may do everything']);
  expect(look(place, '0.0.0.0')).toEqual([
    expect.stringMatching(/^tokens fail none that is valid, and 0\.0\.0\.0 lets/),
  ]);
  expect(look(place, '0.0.0.0', JWT)).toEqual([expect.stringMatching(/^tokens ok .*identity provider/)]);
  place.token('ci', 'read');
  expect(look(place, '0.0.0.0')).toEqual(['tokens ok 1 that are valid', closed(place)].toReversed());
  revokeToken(place.file, 'ci', place.clock.now());
  expect(look(place, '0.0.0.0')).toContainEqual(expect.stringMatching(/^tokens fail none that is valid/));
  expect(look(place)).toContainEqual('tokens warn all are expired or revoked: nobody gets in');
});

it('tells of tokens that have expired or soon will, by name', async () => {
  const place = new TokenPlace();
  place.token('for-ever', 'read');
  place.token('long', 'read', 15 * DAY_MS);
  expect(look(place)).toContainEqual('tokens ok 2 that are valid');
  place.token('short', 'read', 10 * DAY_MS);
  expect(look(place)).toContainEqual('tokens warn expire within 14 days: short');
  for (let n = 1; n <= 7; n += 1) place.token(`old-${n}`, 'read', -1);
  expect(look(place)).toContainEqual('tokens warn expired: old-1, old-2, old-3, old-4, old-5 and 2 more');
});

it('tells of a file, or its directory, that others can read', () => {
  const place = new TokenPlace();
  place.token('ci', 'read');
  expect(look(place)).toContain(closed(place));
  chmodSync(place.file.path, 0o640);
  expect(look(place)).toContain(`token-file warn ${place.file.path} has mode 640`);
  chmodSync(dirname(place.file.path), 0o755);
  expect(look(place)).toContain(`token-file warn ${dirname(place.file.path)} has mode 755`);
});

it('fails for a file that cannot be read, and shows nothing of it', () => {
  const place = new TokenPlace();
  place.token('ci', 'read');
  writeFileSync(join(place.dataDir, 'access', 'tokens.json'), '{"tokens":[{"sha256":"abc"}]}');
  const [finding = '', ...rest] = look(place);
  expect([finding, rest]).toEqual([expect.stringMatching(/^tokens fail The tokens in .* cannot be read/), []]);
  expect(finding).not.toContain('abc');
});
