import { GraphQLError } from 'graphql';
import { networkOf } from '../access/network.ts';
import type { Principal } from '../access/principal.ts';
import type { Limits } from '../runtime/limits.ts';
import type { Refusals } from '../runtime/refusals.ts';

/** Who asks, and from where. */
export interface Asking {
  readonly principal: Principal;
  readonly address: string;
}

/** What is open at a time of everybody, over all WebSockets and event streams. */
export class OpenOperations {
  readonly #limits: Limits;
  readonly #refusals: Refusals;
  readonly #byWhom = new Map<string, number>();
  #count = 0;

  constructor(limits: Limits, refusals: Refusals) {
    this.#limits = limits;
    this.#refusals = refusals;
  }

  /** Takes a place, to be left once; or says, and counts, why there is none. */
  enter(asking: Asking): GraphQLError | null {
    const { operations, operations_per_principal } = this.#limits;
    const whom = whomOf(asking);
    const own = whom === null ? 0 : (this.#byWhom.get(whom) ?? 0);
    if (own >= operations_per_principal) {
      this.#refusals.count('operations_per_principal');
      return tooMany(`You may have ${operations_per_principal} operations open at a time, over all connections`);
    }
    if (this.#count >= operations) {
      this.#refusals.count('operations');
      return tooMany(`The server has ${operations} operations open, which is the most it takes`);
    }
    this.#count += 1;
    if (whom !== null) this.#byWhom.set(whom, own + 1);
    return null;
  }

  leave(asking: Asking): void {
    this.#count -= 1;
    const whom = whomOf(asking);
    if (whom === null) return;
    const left = (this.#byWhom.get(whom) ?? 1) - 1;
    if (left > 0) this.#byWhom.set(whom, left);
    else this.#byWhom.delete(whom);
  }
}

/** Who shares a number; null for this machine's own where no tokens are, which has the whole server to itself. */
function whomOf({ principal: { kind, name }, address }: Asking): string | null {
  if (kind === 'open') return null;
  return kind === 'anonymous' ? `anonymous ${networkOf(address)}` : `${kind} ${name}`;
}

/** Of a limit for what is open at a time. Over HTTP 429. */
export const tooMany = (what: string): GraphQLError =>
  new GraphQLError(`${what}; end some, or come again later`, {
    extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', http: { status: 429, headers: { 'retry-after': '5' } } },
  });
