import type { Trade } from '../../market/market-event.ts';
import type { DataFrame } from './link-handlers.ts';
import { isNewer } from './trade-order.ts';

interface Seen {
  /** Trades only: the newest of the old socket, the first of the next one. */
  old: { readonly newest: Trade | null } | null;
  next: { readonly first: Trade | null } | null;
}

/**
 * What two sockets with the same channels have delivered while both are read. A channel is proven when the next socket has
 * delivered too and the old one has reached the trade the next one began with: from there on nothing can be missing.
 */
export class Overlap {
  readonly #seen = new Map<string, Seen>();

  old(frame: DataFrame): void {
    const seen = this.#of(frame.channel);
    const before = seen.old?.newest ?? null;
    const trade = tradesOf(frame).at(-1) ?? null;
    seen.old = { newest: before && (!trade || isNewer(before, trade)) ? before : trade };
  }

  next(frame: DataFrame): void {
    const seen = this.#of(frame.channel);
    seen.next ??= { first: tradesOf(frame)[0] ?? null };
  }

  /** Channels the old socket delivers and the next one is not proven for. Channels without data in this time prove nothing. */
  get unproven(): readonly string[] {
    return [...this.#seen].flatMap(([key, { old, next }]) => {
      if (!old) return [];
      if (!next) return [key];
      return next.first && old.newest && isNewer(next.first, old.newest) ? [key] : [];
    });
  }

  #of(key: string): Seen {
    const seen = this.#seen.get(key) ?? { old: null, next: null };
    this.#seen.set(key, seen);
    return seen;
  }
}

const tradesOf = (frame: DataFrame): readonly Trade[] =>
  frame.kind === 'events' ? frame.events.filter((event) => event.kind === 'trade') : [];
