import type { Trade } from '../../market/market-event.ts';

/** Ids remembered of one instrument: between this and twice as many. */
const GENERATION = 512;

/** Instruments remembered; far above what one process collects, so only a stray one is forgotten. */
const MAX_INSTRUMENTS = 10_000;

/**
 * The newest trade ids of each instrument, to turn exact repetitions away early. It only saves work: the key in the database
 * is what keeps a trade single.
 */
export class RecentIds {
  readonly #instruments = new Map<string, Generations>();

  /** True when it was there already; otherwise it is from now on. */
  seen(trade: Trade): boolean {
    const instrument = this.#generations(trade);
    const id = identity(trade);
    if (instrument.young.has(id) || instrument.old.has(id)) return true;
    if (instrument.young.size === GENERATION) {
      instrument.old = instrument.young;
      instrument.young = new Set();
    }
    instrument.young.add(id);
    return false;
  }

  #generations({ exchange, symbol }: Trade): Generations {
    const key = `${exchange}:${symbol}`;
    const known = this.#instruments.get(key);
    if (known) return known;
    if (this.#instruments.size === MAX_INSTRUMENTS)
      for (const oldest of this.#instruments.keys()) {
        this.#instruments.delete(oldest);
        break;
      }
    const fresh: Generations = { young: new Set(), old: new Set() };
    this.#instruments.set(key, fresh);
    return fresh;
  }
}

interface Generations {
  young: Set<string>;
  old: Set<string>;
}

/** A packed trade and its last single fill share an id and are not the same. */
const identity = ({ tradeId, fillCount }: Trade): string => (fillCount === 1 ? tradeId : `${tradeId}x${fillCount}`);
