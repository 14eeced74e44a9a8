import type { Role } from '../access/role.ts';
import { type StoredToken, TokenFile } from '../access/token-file.ts';
import { createToken, revokeToken } from '../access/tokens.ts';
import type { Clock } from '../runtime/clock.ts';
import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';

export type TokenFlags = { readonly dataDir: string } & (
  | {
      readonly command: 'create';
      readonly name: string;
      readonly roles: readonly Role[];
      /** How long it is good, ms; null for ever. */
      readonly lifeMs: number | null;
    }
  | { readonly command: 'list' }
  | { readonly command: 'revoke'; readonly token: string }
);

export interface TokenSurroundings {
  readonly clock: Clock;
  /** What was asked for: a new token is alone there, so that a script can take it. */
  readonly print: (line: string) => void;
  /** What a person should know. */
  readonly note: (line: string) => void;
}

/** Returns the exit code: 0 when it is done, 1 when it was refused, and nothing was changed. */
export async function runToken(flags: TokenFlags, around: TokenSurroundings): Promise<number> {
  try {
    run(flags, around);
    return 0;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    around.note(`token: ${error.code}: ${error.message}`);
    return 1;
  }
}

function run(flags: TokenFlags, { clock, print, note }: TokenSurroundings): void {
  const file = new TokenFile(flags.dataDir);
  const now = clock.now();
  switch (flags.command) {
    case 'create': {
      const { name, roles, lifeMs } = flags;
      const expiresAt = lifeMs === null ? null : now + lifeMs;
      const text = createToken(file, { name, roles, expiresAt }, now);
      note(`Token ${name} may ${roles.join(', ')} and ${endOf(expiresAt)}. It is shown this once; send it as`);
      note(
        'Authorization: Bearer <token>, or give it to our commands as TCPD_TOKEN. A running server knows it within 2 s.',
      );
      return print(text.reveal());
    }
    case 'revoke': {
      const revoked = revokeToken(file, flags.token, now);
      return note(
        revoked.length === 0
          ? 'It was revoked before.'
          : `Revoked ${revoked.map(({ name, id }) => `${name} (${id})`).join(', ')}; a running server ends what it has open within 2 s.`,
      );
    }
    case 'list': {
      const tokens = file.read();
      if (tokens.length === 0) return note(`There are no tokens in ${file.path}.`);
      for (const token of tokens) print(lineOf(token, now));
      return;
    }
    default:
      return flags satisfies never;
  }
}

const endOf = (expiresAt: number | null): string =>
  expiresAt === null ? 'never expires' : `expires ${formatTime(expiresAt)}`;

const lineOf = ({ id, name, roles, created_at, expires_at, revoked_at }: StoredToken, now: number): string =>
  `${id}  ${name.padEnd(20)}  ${roles.join(',').padEnd(16)}  made ${created_at}  ${stateOf(expires_at, revoked_at, now)}`;

function stateOf(expiresAt: string | null, revokedAt: string | null, now: number): string {
  if (revokedAt !== null) return `REVOKED ${revokedAt}`;
  if (expiresAt === null) return 'never expires';
  return `${Date.parse(expiresAt) <= now ? 'EXPIRED' : 'expires'} ${expiresAt}`;
}
