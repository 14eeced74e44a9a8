import type { Position } from '../storage/trades.ts';
import type { TradeBatch, TradeRequest } from './trade-feed.ts';

/** A batch, and the places in the ring where it begins and ends. */
interface Made {
  readonly batch: TradeBatch;
  readonly from: number;
  readonly to: number;
}

/**
 * Subscribers that ask for the same: whoever comes to the same place gets the very batch the first of them made, so that those who
 * make something of it need to do so once. Only the newest is kept.
 */
export class Company {
  members = 0;
  #newest: Made | null = null;

  /** What was made of the ring between two places by somebody who stood at the same position. */
  batchAt(from: number, to: number, before: Position): Made | null {
    const made = this.#newest;
    if (made === null || made.from !== from || made.to !== to) return null;
    return isSamePosition(made.batch.before, before) ? made : null;
  }

  /** A batch that holds all that matches between two places and nothing else. */
  made(batch: TradeBatch, from: number, to: number): void {
    if (batch.trades.length > 0 && batch.notices.length === 0) this.#newest = { batch, from, to };
  }
}

/** The companies of a feed, by what they ask for. */
export class Companies {
  readonly #all = new Map<string, Company>();

  /** Null for a request that has a pace of its own. */
  join({ filter, delivery }: TradeRequest): { readonly company: Company; leave(): void } | null {
    if (delivery.mode !== 'LOSSLESS' || delivery.maxBatchMs !== 0 || delivery.maxPerSecond !== null) return null;
    const { exchange, symbols, side, minSize } = filter;
    const name = JSON.stringify([exchange || null, symbols ?? null, side || null, minSize || null]);
    const company = this.#all.get(name) ?? new Company();
    this.#all.set(name, company);
    company.members += 1;
    return {
      company,
      leave: () => {
        company.members -= 1;
        if (company.members === 0) this.#all.delete(name);
      },
    };
  }
}

export const isSamePosition = (a: Position, b: Position): boolean => {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [writer, sequence] of a) if (b.get(writer) !== sequence) return false;
  return true;
};
