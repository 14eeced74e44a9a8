import type { Stretch, StretchChange } from '../../market/coverage.ts';
import { type CoverageInterval, coverageIntervals } from '../../market/coverage-intervals.ts';
import type { TradeLedgers } from './trade-ledgers.ts';

interface ShownCoveragePorts {
  /** What is known, with what is not durable yet. */
  readonly ledgers: TradeLedgers;
  /** Whether every trade the ledgers speak of has been shown to subscribers, but for what is not durable yet. */
  isShown(): boolean;
}

/** What is known of one market, as far as its trades were shown. */
export interface CoverageWatch extends Disposable {
  /** Contiguous intervals of [from, to), ms; null while trades may be known that were not shown yet. */
  intervals(range: { readonly from: number; readonly to: number }): readonly CoverageInterval[] | null;
}

interface Watched {
  /** Ascending and apart; null until the ledger holds nothing that was not shown. */
  rows: Stretch[] | null;
  readonly listeners: Set<() => void>;
}

/**
 * The ledger as subscribers have seen it come about: at every moment it speaks of the trades that were published, and of no others. The
 * intake's own ledger is a batch ahead of that. Kept only of the markets somebody watches.
 */
export class ShownCoverage {
  readonly #ports: ShownCoveragePorts;
  readonly #watched = new Map<string, Watched>();

  constructor(ports: ShownCoveragePorts) {
    this.#ports = ports;
  }

  /** `changed` is called when something else was learnt than that the newest stretch goes on. */
  watch(exchange: string, symbol: string, changed: () => void): CoverageWatch {
    const key = keyOf(exchange, symbol);
    const watched: Watched = this.#watched.get(key) ?? { rows: this.#copy(key), listeners: new Set() };
    this.#watched.set(key, watched);
    watched.listeners.add(changed);
    return {
      intervals: (range) =>
        watched.rows !== null && this.#ports.isShown() ? coverageIntervals(around(watched.rows, range), range) : null,
      [Symbol.dispose]: () => {
        watched.listeners.delete(changed);
        if (watched.listeners.size === 0 && this.#watched.get(key) === watched) this.#watched.delete(key);
      },
    };
  }

  /** A batch was published, and this is what it changed. */
  changed(changes: readonly StretchChange[]): void {
    if (this.#watched.size === 0) return;
    for (const [key, watched] of this.#watched) if (watched.rows === null) this.#begin(key, watched);
    const touched = new Set<Watched>();
    for (const { exchange, symbol, first, stretch } of changes) {
      const watched = this.#watched.get(keyOf(exchange, symbol));
      if (watched?.rows && replace(watched.rows, first, stretch)) touched.add(watched);
    }
    for (const { listeners } of touched) for (const listener of listeners) listener();
  }

  /** The ledgers were replaced. */
  restart(): void {
    for (const [key, watched] of this.#watched) this.#begin(key, watched);
  }

  #begin(key: string, watched: Watched): void {
    watched.rows = this.#copy(key);
    if (watched.rows !== null) for (const listener of watched.listeners) listener();
  }

  #copy(key: string): Stretch[] | null {
    const { ledgers } = this.#ports;
    const [exchange = '', symbol = ''] = key.split(' ');
    return ledgers.hasChanges ? null : [...(ledgers.find(exchange, symbol)?.stretches ?? [])];
  }
}

const keyOf = (exchange: string, symbol: string): string => `${exchange} ${symbol}`;

/** True unless the newest stretch only became longer. */
function replace(rows: Stretch[], first: bigint, stretch: Stretch | null): boolean {
  const newest = rows.at(-1);
  if (newest !== undefined && newest.first === first && stretch !== null) {
    rows[rows.length - 1] = stretch;
    return newest.status !== stretch.status;
  }
  const at = rows.findLastIndex((row) => row.first <= first);
  const isHere = rows[at]?.first === first;
  if (stretch === null) {
    if (isHere) rows.splice(at, 1);
  } else rows.splice(isHere ? at : at + 1, isHere ? 1 : 0, stretch);
  return true;
}

/** The stretches that touch a range and the nearest one on either side, as storage gives them. Ids ascend; times mostly do. */
function around(
  rows: readonly Stretch[],
  { from, to }: { readonly from: number; readonly to: number },
): readonly Stretch[] {
  const before = rows.findLastIndex((row) => row.to < from);
  const after = rows.findIndex((row) => row.from > to);
  return rows.filter((row, index) => index === before || index === after || (row.from <= to && row.to >= from));
}
