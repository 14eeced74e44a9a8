import { grantedBy, type Role } from './role.ts';

/** Whoever asks. The same token of ours is the same object as long as it is valid, so it can be a key; a JWT is another each time it is shown. */
export interface Principal {
  /** As the audit log names it: the name of a token, the subject of a JWT. */
  readonly name: string;
  /** "open": on a server without tokens, which only this machine reaches. "anonymous": without a token where there are some. */
  readonly kind: 'open' | 'anonymous' | 'token' | 'jwt';
  /** All that it may do. */
  readonly roles: ReadonlySet<Role>;
  /** From when on it may nothing, ms since the Unix epoch; null for never. */
  readonly expiresAt: number | null;
}

const stranger = (kind: 'open' | 'anonymous', ...roles: readonly Role[]): Principal =>
  Object.freeze({ name: kind === 'open' ? 'local' : 'anonymous', kind, roles: grantedBy(...roles), expiresAt: null });

export const LOCAL = stranger('open', 'admin');
export const READER = stranger('anonymous', 'read');
export const NOBODY = stranger('anonymous');
