import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type OutgoingFetch, readBounded } from '../runtime/outgoing-fetch.ts';
import type { Principal } from './principal.ts';
import { grantedBy, isRole } from './role.ts';

/** Whose JSON web tokens are accepted; `jwks_url` gives the keys that sign them. */
export interface JwtSettings {
  readonly jwks_url: string;
  readonly issuer: string;
  readonly audience: string;
  /** The claim that names roles: one, or a list. Words that are no role are ignored. */
  readonly role_claim: string;
}

export interface JwtVerifier {
  /** Null for a token that is not good. @throws {AppError} ACCESS_UNAVAILABLE when the keys cannot be had. */
  verify(token: string): Promise<Principal | null>;
}

/** Signatures by key pairs: a shared secret would be one more to keep, and "none" is none. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const FETCH_TIMEOUT_MS = 3_000;
/** A provider has a handful of keys. */
const MAX_KEYS_BYTES = 1024 * 1024;
/** By how much the clocks of two machines may differ. */
const TOLERANCE_S = 5;
const LONGEST_NAME = 200;
/** Strangers decide how many tokens come while the provider is away. */
const WARN_EVERY_MS = 60_000;
/** Not the token's fault. */
const UNAVAILABLE = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'];

export const looksLikeJwt = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

export interface VerifierEnvironment {
  readonly fetch: OutgoingFetch;
  readonly clock: Clock;
  readonly log: Log;
}

export function jwtVerifier(settings: JwtSettings, { fetch: ask, clock, log }: VerifierEnvironment): JwtVerifier {
  const keys = createRemoteJWKSet(new URL(settings.jwks_url), {
    timeoutDuration: FETCH_TIMEOUT_MS,
    [customFetch]: async (url, { signal }) => {
      const response = await ask(new URL(url), { signal });
      const { status } = response;
      return new Response(await readBounded(response, MAX_KEYS_BYTES), { status }); // nothing, which is no JSON, for a longer one
    },
  });
  const { issuer, audience, role_claim } = settings;
  let warnedAt = Number.NEGATIVE_INFINITY;
  const warn = (reason: string): void => {
    if (clock.monotonic() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = clock.monotonic();
    log.warn('The keys that sign tokens cannot be had', { reason });
  };
  return {
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          ...{ issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'] },
          ...{ currentDate: new Date(clock.now()), clockTolerance: TOLERANCE_S },
        });
        return Object.freeze<Principal>({
          name: String(payload.sub).slice(0, LONGEST_NAME),
          kind: 'jwt',
          roles: grantedBy(...[payload[role_claim]].flat().filter(isRole)),
          expiresAt: Number(payload.exp) * 1_000,
        });
      } catch (error) {
        if (error instanceof errors.JOSEError && !UNAVAILABLE.includes(error.code)) return null;
        warn(messageOf(error));
        throw new AppError('ACCESS_UNAVAILABLE', 'Tokens of the identity provider cannot be checked now; try again', {
          cause: error,
        });
      }
    },
  };
}
