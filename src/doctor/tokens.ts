import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type StoredToken, TokenFile } from '../access/token-file.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { isLoopback } from '../runtime/loopback.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const DAY_MS = 86_400_000;
/** Time to hand out another one. */
const RENEW_DAYS = 14;
const MAKE = 'Make one: npm run token -- create --name NAME --role read --expires 90d';
/** Names told in one line. */
const MOST_NAMES = 5;

/** Whether the tokens let in whom they should, and are closed to others. Tells names, never what proves them. */
export function checkTokens(config: Config, clock: Clock): readonly Finding[] {
  const file = new TokenFile(config.data_dir);
  try {
    const tokens = file.read();
    return [...closed(file.path, tokens.length > 0), ...judge(tokens, config, clock.now())];
  } catch (error) {
    const advice = 'Restore it from a copy, or remove it and make new tokens: nobody gets in meanwhile.';
    return [fail('tokens', messageOf(error), advice)];
  }
}

function closed(path: string, isThere: boolean): readonly Finding[] {
  if (!isThere) return [];
  const places = [dirname(path), path].map((place) => [place, statSync(place).mode & 0o777] as const);
  const open = places.find(([, mode]) => (mode & 0o077) !== 0);
  if (!open) return [ok('token-file', `${path} is closed to others`)];
  const [place, mode] = open;
  const advice = `Close it to others: chmod go= ${place}`;
  return [warn('token-file', `${place} has mode ${mode.toString(8)}`, advice)];
}

function judge(tokens: readonly StoredToken[], { server, access }: Config, now: number): readonly Finding[] {
  const kept = tokens.filter(({ revoked_at: revoked }) => revoked === null);
  const [expired, usable] = [
    kept.filter((token) => daysOf(token, now) <= 0),
    kept.filter((token) => daysOf(token, now) > 0),
  ];
  const others = access.jwt !== null;
  if (usable.length === 0 && !others) {
    if (!isLoopback(server.host))
      return [fail('tokens', `none that is valid, and ${server.host} lets others in: the server does not start`, MAKE)];
    if (tokens.length > 0) return [warn('tokens', 'all are expired or revoked: nobody gets in', MAKE)];
    return [ok('tokens', 'none: only this machine reaches the server, and may do everything')];
  }
  if (expired.length > 0)
    return [
      warn(
        'tokens',
        `expired: ${namesOf(expired)}`,
        'Revoke what nobody needs, and make others: npm run token -- --help',
      ),
    ];
  const ending = usable.filter((token) => daysOf(token, now) < RENEW_DAYS);
  if (ending.length > 0)
    return [
      warn(
        'tokens',
        `expire within ${RENEW_DAYS} days: ${namesOf(ending)}`,
        'Make others in time: npm run token -- --help',
      ),
    ];
  return [ok('tokens', `${usable.length} that are valid${others ? ', and those of the identity provider' : ''}`)];
}

const daysOf = ({ expires_at: expiresAt }: StoredToken, now: number): number =>
  expiresAt === null ? Number.POSITIVE_INFINITY : (Date.parse(expiresAt) - now) / DAY_MS;

function namesOf(tokens: readonly StoredToken[]): string {
  const names = tokens.slice(0, MOST_NAMES).map(({ name }) => name);
  const more = tokens.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
