import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import type { Secret } from '../runtime/secret.ts';
import type { Role } from './role.ts';
import type { StoredToken, TokenFile } from './token-file.ts';
import { makeToken } from './token-text.ts';

export interface TokenRequest {
  /** What it is for, and how the audit log calls whoever has it. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** Ms since the Unix epoch; null for never. */
  readonly expiresAt: number | null;
}

const NAME = /^[a-z][\w.@-]{0,63}$/i;

/** Makes a token and keeps what proves it. Nobody can show its text again. @throws {AppError} TOKEN_REFUSED */
export function createToken(file: TokenFile, { name, roles, expiresAt }: TokenRequest, now: number): Secret {
  if (!NAME.test(name))
    throw new AppError(
      'TOKEN_REFUSED',
      `The name of a token begins with a letter and has up to 64 letters, digits or ._@-; was ${JSON.stringify(name.slice(0, 100))}`,
    );
  const made = makeToken();
  file.change((tokens) => {
    if (tokens.some((token) => token.name === name && token.revoked_at === null))
      throw new AppError('TOKEN_REFUSED', `There is a token ${name} already; revoke it first, or choose another name`);
    const token: StoredToken = {
      ...{ id: made.id, name, roles: [...roles], sha256: made.sha256 },
      ...{ created_at: formatTime(now), expires_at: expiresAt === null ? null : formatTime(expiresAt) },
      revoked_at: null,
    };
    return [...tokens, token];
  });
  return made.text;
}

/** Revokes the tokens of a name, or the one of an id. Returns those that were not revoked before. @throws {AppError} TOKEN_REFUSED when there is none. */
export function revokeToken(file: TokenFile, nameOrId: string, now: number): readonly StoredToken[] {
  let revoked: readonly StoredToken[] = [];
  file.change((tokens) => {
    const meant = tokens.filter(({ name, id }) => name === nameOrId || id === nameOrId);
    if (meant.length === 0)
      throw new AppError(
        'TOKEN_REFUSED',
        `There is no token ${JSON.stringify(nameOrId.slice(0, 100))}; \`npm run token -- list\` shows them`,
      );
    revoked = meant.filter((token) => token.revoked_at === null);
    return tokens.map((token) => (revoked.includes(token) ? { ...token, revoked_at: formatTime(now) } : token));
  });
  return revoked;
}
