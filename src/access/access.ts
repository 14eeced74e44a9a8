import type { Clock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { OutgoingFetch } from '../runtime/outgoing-fetch.ts';
import { FailureLimit } from './failure-limit.ts';
import { type JwtSettings, type JwtVerifier, jwtVerifier, looksLikeJwt } from './jwt.ts';
import { LOCAL, NOBODY, type Principal, READER } from './principal.ts';
import { Sessions } from './sessions.ts';
import { isExpired, TokenBook } from './token-book.ts';
import { TokenFile } from './token-file.ts';

export interface AccessOptions {
  readonly dataDir: string;
  /** What may be done without a token: nothing, or read. Null: all where there are no tokens, else nothing. */
  readonly anonymous: 'none' | 'read' | null;
  readonly jwt: JwtSettings | null;
  /** Whether only this machine reaches the server. */
  readonly isLocal: boolean;
  /** Gets the keys of the identity provider. */
  readonly fetch: OutgoingFetch;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why somebody was turned away. */
export const REFUSALS = ['wrong_token', 'too_many_failures', 'unauthenticated', 'forbidden', 'unavailable'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** That an address may send within a minute. */
const MOST_WRONG_TOKENS = 10;
/** How soon a change of the tokens is known. */
const REFRESH_MS = 1_000;

/** Who asks, and whether he still may. Tokens that change on the disk are known within a second. */
export class Access implements Disposable {
  readonly refusals: Readonly<Record<Refusal, number>>;
  readonly #options: AccessOptions;
  readonly #book: TokenBook;
  readonly #jwt: JwtVerifier | null;
  readonly #failures: FailureLimit;
  readonly #sessions = new Sessions();
  readonly #ticks: Disposable;
  /** For good: tokens that vanish open nothing. */
  #isGuarded: boolean;

  /** @throws {AppError} CONFIG_INVALID when others could reach a server that asks nobody for a token, or tokens cannot be read. */
  constructor(options: AccessOptions) {
    const { dataDir, jwt, isLocal, fetch, clock, log } = options;
    this.#options = options;
    this.#book = new TokenBook(new TokenFile(dataDir), log);
    this.#jwt = jwt && jwtVerifier(jwt, { fetch, clock, log });
    if (!isLocal && !jwt && !this.#book.hasUsable(clock.now()))
      throw new AppError(
        'CONFIG_INVALID',
        'server.host lets others reach this server, but there is no token they would have to show; ' +
          'make one with `npm run token -- create --name NAME --role read`, or listen on 127.0.0.1',
      );
    this.#isGuarded = !isLocal || jwt !== null || this.#book.size > 0;
    this.#failures = new FailureLimit(clock, MOST_WRONG_TOKENS);
    this.refusals = { wrong_token: 0, too_many_failures: 0, unauthenticated: 0, forbidden: 0, unavailable: 0 };
    this.#ticks = clock.every(REFRESH_MS, () => this.#refresh());
  }

  /** Whether everybody who reaches the server may do everything. */
  get isOpen(): boolean {
    return this.anonymous === LOCAL;
  }

  /** Whoever shows no token. */
  get anonymous(): Principal {
    const { anonymous } = this.#options;
    if (anonymous === 'read') return READER;
    return anonymous === 'none' || this.#isGuarded ? NOBODY : LOCAL;
  }

  /**
   * Whoever sent an Authorization header, null without one. A token that is shown has to be good, also where none is needed.
   * @throws {AppError} UNAUTHENTICATED, TOO_MANY_FAILURES, ACCESS_UNAVAILABLE.
   */
  async identify(authorization: string | null, address: string): Promise<Principal> {
    if (authorization === null) return this.anonymous;
    const wait = this.#failures.waitOf(address);
    if (wait > 0) {
      this.count('too_many_failures');
      throw new AppError(
        'TOO_MANY_FAILURES',
        `Too many wrong tokens came from this address; try again in ${Math.ceil(wait / 1_000)} s`,
      );
    }
    const text = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
    const found = this.#jwt && looksLikeJwt(text) ? await this.#verify(this.#jwt, text) : this.#book.find(text);
    if (found && !isExpired(found, this.#options.clock.now())) return found;
    this.count('wrong_token');
    if (this.#failures.add(address))
      this.#options.log.warn('Too many wrong tokens, the address has to wait', { address });
    throw new AppError(
      'UNAUTHENTICATED',
      found
        ? 'The token has expired; make another with `npm run token`'
        : 'The token is wrong or was revoked; send `Authorization: Bearer <token>` with one of `npm run token`',
    );
  }

  async #verify(jwt: JwtVerifier, text: string): Promise<Principal | null> {
    try {
      return await jwt.verify(text);
    } catch (error) {
      this.count('unavailable');
      throw error;
    }
  }

  /** Whether a principal may still do what it might. */
  isCurrent = (principal: Principal): boolean => {
    if (isExpired(principal, this.#options.clock.now())) return false;
    if (principal.kind === 'token') return this.#book.isKnown(principal);
    return principal.kind === 'jwt' || principal === this.anonymous;
  };

  /** Calls `end` within two seconds of when the principal may nothing any more, unless disposed before. */
  hold(principal: Principal, end: () => void): Disposable {
    return this.#sessions.hold(principal, end);
  }

  count(refusal: Refusal): void {
    (this.refusals as Record<Refusal, number>)[refusal] += 1;
  }

  [Symbol.dispose](): void {
    this.#ticks[Symbol.dispose]();
  }

  #refresh(): void {
    this.#book.refresh();
    this.#isGuarded ||= this.#book.size > 0;
    this.#sessions.endOthers(this.isCurrent);
  }
}
