import type { FillRange } from '../market/packed-trades.ts';

/** Records remembered of one market: some seconds of the liveliest. */
const REMEMBERED = 1_024;
/** Markets remembered; far above what one process collects, so only a stray one is forgotten. */
const MAX_MARKETS = 10_000;

interface Ring {
  readonly records: FillRange[];
  next: number;
}

/** The newest records of each market with their sizes, to work out what of a packed trade is new. */
export class RecentFills {
  readonly #markets = new Map<string, Ring>();

  put(market: string, record: FillRange): void {
    const ring = this.#markets.get(market) ?? this.#open(market);
    ring.records[ring.next] = record;
    ring.next = (ring.next + 1) % REMEMBERED;
  }

  /** Those that share an id with the range. */
  touching(market: string, { first, last }: FillRange): readonly FillRange[] {
    const records = this.#markets.get(market)?.records ?? [];
    return records.filter((record) => record.first <= last && record.last >= first);
  }

  #open(market: string): Ring {
    if (this.#markets.size === MAX_MARKETS)
      for (const oldest of this.#markets.keys()) {
        this.#markets.delete(oldest);
        break;
      }
    const ring: Ring = { records: [], next: 0 };
    this.#markets.set(market, ring);
    return ring;
  }
}
