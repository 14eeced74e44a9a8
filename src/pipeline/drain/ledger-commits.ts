import { setImmediate as turn } from 'node:timers/promises';
import { crashPoint } from '../../runtime/crash-point.ts';
import { AppError, isRetryable } from '../../runtime/errors.ts';
import { isOfTheRow } from '../../storage/database-errors.ts';
import type { TradeCommit } from '../../storage/trade-writer.ts';
import { foldItem } from '../intake/fold-trades.ts';
import { TradeLedgers } from '../ledger/trade-ledgers.ts';
import { type SpoolBatch, type SpoolItem, tradesOf } from '../spool/spool-batch.ts';
import type { BatchGroup } from './drain-backlog.ts';
import type { DrainPorts } from './drain-ports.ts';
import type { RefusedRows } from './refused-rows.ts';
import type { StoreTries } from './store-tries.ts';

/** A group taken into the ledgers. */
interface Folded {
  readonly items: readonly SpoolItem[];
  readonly commit: TradeCommit;
}

/** The next group, made while the commit before it is under way. Good only from that commit's end on. */
interface Ahead extends Folded {
  readonly group: BatchGroup;
  readonly position: bigint;
}

interface CommitPorts extends Pick<DrainPorts, 'store' | 'hasTradeIds'> {
  readonly tries: StoreTries;
  readonly refused: RefusedRows;
}

/**
 * Commits groups of batches with what they mean for the ledger. While one is in flight the next is made ready, and thrown away should
 * the first not go as expected: the ledgers are read anew then.
 */
export class LedgerCommits {
  readonly #ports: CommitPorts;
  #ledgers: TradeLedgers;
  /** The ledgers hold what was not committed. */
  #isStale = false;
  #ahead: Ahead | null = null;

  /** `ledgers`: as in the database. */
  constructor(ports: CommitPorts, ledgers: TradeLedgers) {
    this.#ports = ports;
    this.#ledgers = ledgers;
  }

  /** The group that was made ready while the one before it was committed, if any. */
  get next(): BatchGroup | null {
    return this.#ahead?.group ?? null;
  }

  /** Begins to commit a group. `trades`: how many are new. `leftOut`: sequences that were in the database already, once it is committed. */
  commit({ batches, end }: BatchGroup): { readonly trades: number; readonly leftOut: Promise<ReadonlySet<bigint>> } {
    const ahead = this.#takeAhead();
    const items = ahead?.items ?? freshOf(batches, this.#ports.store.position);
    return { trades: tradesOf(items).length, leftOut: ahead ? this.#write(ahead) : this.#store(items, end.last) };
  }

  /** Takes a group into the ledgers behind what is being committed up to `last`, and makes what will be sent. Never throws. */
  async makeAhead(group: BatchGroup, last: bigint): Promise<void> {
    const { store } = this.#ports;
    const position = last > store.position ? last : store.position;
    const ledgers = this.#ledgers;
    await turn(); // the commit goes out first
    if (this.#isStale || this.#ledgers !== ledgers) return; // it went otherwise
    try {
      this.#ahead = { ...this.#fold(freshOf(group.batches, position), group.end.last), group, position };
    } catch {
      this.dropAhead(); // its turn meets the same, and tells
      return;
    }
    const { trades } = this.#ahead.commit;
    await turn();
    await store.prepare(trades).catch(() => {}); // `write` meets the same, and tells
  }

  /** What was made ready will not be committed as it is, and the ledgers hold it. */
  dropAhead(): void {
    this.#isStale = true;
    this.#ahead = null;
  }

  /** Begins anew from what the database says. */
  async reload(): Promise<void> {
    this.#ledgers = await this.load();
    this.#isStale = false;
  }

  /** The ledgers as the database has them. */
  async load(): Promise<TradeLedgers> {
    return new TradeLedgers(await this.#ports.tries.ask(() => this.#ports.store.load()));
  }

  #takeAhead(): Folded | null {
    const ahead = this.#ahead;
    if (ahead === null) return null;
    const isGood = ahead.position === this.#ports.store.position;
    if (isGood) this.#ahead = null;
    else this.dropAhead();
    return isGood ? ahead : null;
  }

  #fold(items: readonly SpoolItem[], last: bigint): Folded {
    for (const item of items) foldItem(this.#ledgers, item, this.#ports.hasTradeIds);
    return { items, commit: { trades: tradesOf(items), last, changes: this.#ledgers.takeChanges() } };
  }

  /** Commits items that belong together, taken into the ledgers as the database has them. */
  async #store(items: readonly SpoolItem[], last: bigint): Promise<ReadonlySet<bigint>> {
    if (this.#isStale) await this.reload();
    return this.#write(this.#fold(items, last));
  }

  /** Rows the database does not take are found by halving and kept aside. */
  async #write({ items, commit }: Folded): Promise<ReadonlySet<bigint>> {
    const { store, tries } = this.#ports;
    if (commit.trades.length === 0 && commit.changes.length === 0 && commit.last <= store.position) return new Set();
    for (let attempt = 0; ; attempt += 1) {
      try {
        crashPoint('before-commit');
        const { leftOut } = await store.write(commit);
        crashPoint('after-commit');
        return leftOut;
      } catch (error) {
        if (error instanceof AppError && error.code === 'WRITER_BEHIND') throw error;
        if (isRetryable(error) || !isOfTheRow(error)) {
          await tries.pause(error, attempt);
          if (tries.isAbandoned) throw error;
          continue;
        }
        this.dropAhead();
        return this.#storeParts(items, commit.last, error);
      }
    }
  }

  async #storeParts(items: readonly SpoolItem[], last: bigint, error: unknown): Promise<ReadonlySet<bigint>> {
    const [only] = items;
    if (items.length === 1 && only?.kind === 'trade')
      return this.#store([await this.#ports.refused.keep(only, error)], last);
    if (items.length <= 1) throw error; // a ledger the database does not take: nothing of ours may hide that
    const middle = items.length >> 1;
    const [before, after] = [items.slice(0, middle), items.slice(middle)];
    const first = await this.#store(before, tradesOf(before).at(-1)?.sequence ?? this.#ports.store.position);
    return new Set([...first, ...(await this.#store(after, last))]);
  }
}

/** What of the batches is not committed at a position: words may be, and taking one in again changes nothing. */
const freshOf = (batches: readonly SpoolBatch[], position: bigint): readonly SpoolItem[] =>
  batches.flatMap(({ items }) => items.filter((item) => item.kind !== 'trade' || item.sequence > position));
