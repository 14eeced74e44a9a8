import { timingSafeEqual } from 'node:crypto';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Principal } from './principal.ts';
import { grantedBy } from './role.ts';
import type { StoredToken, TokenFile } from './token-file.ts';
import { partsOf } from './token-text.ts';

interface Known {
  readonly token: StoredToken;
  readonly hash: Buffer;
  readonly principal: Principal;
}

/** Compared with where no token has the id, and equal to no hash: SHA-256 gives 32 zeros to nothing anybody can find. */
const DECOY = Buffer.alloc(32);

/** The tokens of a file as they are now. */
export class TokenBook {
  readonly #file: TokenFile;
  readonly #log: Log;
  /** Of the file that was read last; undefined while it cannot be. */
  #version: string | null | undefined;
  #complaint = '';
  #byId = new Map<string, Known>();
  #current: ReadonlySet<Principal> = new Set();

  /** @throws {AppError} CONFIG_INVALID when the file cannot be read. */
  constructor(file: TokenFile, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#version = file.version();
    this.#take(file.read());
  }

  /** Tokens there are, also those that are revoked or expired. */
  get size(): number {
    return this.#byId.size;
  }

  /** Whether any token opens anything at this time. */
  hasUsable(now: number): boolean {
    return [...this.#current].some((principal) => !isExpired(principal, now));
  }

  /** Whose token it is, also when it has expired; null for a wrong or revoked one. The time it takes tells nothing of either. */
  find(text: string): Principal | null {
    const { id, hash } = partsOf(text);
    const known = this.#byId.get(id);
    const isRight = timingSafeEqual(hash, known?.hash ?? DECOY);
    return isRight && known?.token.revoked_at === null ? known.principal : null;
  }

  /** Whether it was not revoked since. */
  isKnown(principal: Principal): boolean {
    return this.#current.has(principal);
  }

  /** Reads the file again when it has changed. One that cannot be read opens nothing until it can. */
  refresh(): void {
    try {
      const version = this.#file.version();
      if (version === this.#version) return;
      this.#take(this.#file.read());
      this.#version = version;
      this.#complaint = '';
      this.#log.info('The tokens were read again', { tokens: this.#current.size });
    } catch (error) {
      this.#take([]);
      this.#version = undefined; // what was in the way, such as the rights of the file, changes nothing of its version
      const reason = messageOf(error);
      if (reason !== this.#complaint) this.#log.error('No token is accepted until they can be read', { reason });
      this.#complaint = reason;
    }
  }

  #take(tokens: readonly StoredToken[]): void {
    const before = this.#byId;
    this.#byId = new Map(
      tokens.map((token) => {
        const known = before.get(token.id);
        return [token.id, known && isSame(known.token, token) ? known : toKnown(token)];
      }),
    );
    const valid = [...this.#byId.values()].filter(({ token }) => token.revoked_at === null);
    this.#current = new Set(valid.map(({ principal }) => principal));
  }
}

export const isExpired = ({ expiresAt }: Principal, now: number): boolean => expiresAt !== null && expiresAt <= now;

const isSame = (one: StoredToken, other: StoredToken): boolean => JSON.stringify(one) === JSON.stringify(other);

const toKnown = (token: StoredToken): Known => ({
  token,
  hash: Buffer.from(token.sha256, 'hex'),
  principal: Object.freeze<Principal>({
    name: token.name,
    kind: 'token',
    roles: grantedBy(...token.roles),
    expiresAt: token.expires_at === null ? null : Date.parse(token.expires_at),
  }),
});
