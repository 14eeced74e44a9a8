import { Access, type AccessOptions } from '../../src/access/access.ts';
import type { Role } from '../../src/access/role.ts';
import { TokenFile } from '../../src/access/token-file.ts';
import { createToken } from '../../src/access/tokens.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { temporary } from '../support/temporary.ts';
import { publicFetch } from './public-fetch.ts';

/** A data directory with tokens, and what opens it. */
export class TokenPlace {
  readonly clock = new ManualClock();
  readonly dataDir = temporary();
  readonly file = new TokenFile(this.dataDir);

  /** Its text. */
  token(name: string, role: Role, lifeMs: number | null = null): string {
    const expiresAt = lifeMs === null ? null : this.clock.now() + lifeMs;
    return createToken(this.file, { name, roles: [role], expiresAt }, this.clock.now()).reveal();
  }

  open(options: Partial<AccessOptions> = {}): Access {
    return new Access({
      ...{
        dataDir: this.dataDir,
        anonymous: null,
        jwt: null,
        isLocal: true,
        fetch: publicFetch,
        clock: this.clock,
        log: silentLog,
      },
      ...options,
    });
  }
}
