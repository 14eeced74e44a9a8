import type { Stretch } from '../../../src/market/coverage.ts';
import type { StreamLedger } from '../../../src/pipeline/ledger/stream-ledger.ts';

/** The books of one stream in the database: what was saved of them, nothing of a write that failed. */
export class SavedBooks {
  readonly #rows = new Map<bigint, Stretch>();
  readonly #ledger: StreamLedger;

  constructor(ledger: StreamLedger) {
    this.#ledger = ledger;
  }

  save({ through, fails = false }: { readonly through?: number | undefined; readonly fails?: boolean } = {}): void {
    const tail = this.#ledger.take(through);
    if (!tail) return;
    if (fails) return this.#ledger.failed(tail);
    for (const first of [...this.#rows.keys()]) if (first >= tail.from) this.#rows.delete(first);
    for (const stretch of tail.stretches) this.#rows.set(stretch.first, stretch);
    this.#ledger.saved();
  }

  get list(): readonly Stretch[] {
    return [...this.#rows.values()].toSorted((a, b) => (a.first < b.first ? -1 : 1));
  }

  /** One line a stretch, by ms since `start`. */
  lines(start: number): readonly string[] {
    return this.list.map(
      ({ status, first, last, actual, cause }) =>
        `${status} ${Number(first) - start}..${Number(last) - start} (${actual})${cause === null ? '' : ` ${cause}`}`,
    );
  }
}
