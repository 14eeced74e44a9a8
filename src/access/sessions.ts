import type { Principal } from './principal.ts';

/** What is open for whom, by principal: thousands of sockets of one token are looked at as one. */
export class Sessions {
  readonly #ends = new Map<Principal, Set<() => void>>();

  /** Calls `end` once when the principal may nothing any more, unless disposed before. */
  hold(principal: Principal, end: () => void): Disposable {
    const own = () => end(); // the same function may be held twice
    const ends = this.#ends.get(principal) ?? new Set();
    this.#ends.set(principal, ends.add(own));
    return {
      [Symbol.dispose]: () => {
        ends.delete(own);
        if (ends.size === 0 && this.#ends.get(principal) === ends) this.#ends.delete(principal);
      },
    };
  }

  /** Ends what is open for principals that are no longer current. */
  endOthers(isCurrent: (principal: Principal) => boolean): void {
    for (const [principal, ends] of [...this.#ends]) {
      if (isCurrent(principal)) continue;
      this.#ends.delete(principal);
      for (const end of ends) end();
    }
  }
}
