import { atMost } from '../../runtime/clock.ts';
import { crashPoint } from '../../runtime/crash-point.ts';
import { AppError } from '../../runtime/errors.ts';
import { foldItem } from '../intake/fold-trades.ts';
import type { TradeLedgers } from '../ledger/trade-ledgers.ts';
import { type SpoolBatch, tradesOf } from '../spool/spool-batch.ts';
import { type BatchGroup, DrainBacklog } from './drain-backlog.ts';
import type { DrainPorts, DrainStatus, LeftBatch } from './drain-ports.ts';
import { LedgerCommits } from './ledger-commits.ts';
import { RefusedRows } from './refused-rows.ts';
import { StoreTries } from './store-tries.ts';

/** From the spool to the database, in order, one commit in flight, for ever repeated while the database is away. */
export class TradeDrain {
  readonly #ports: DrainPorts;
  readonly #backlog: DrainBacklog;
  readonly #tries: StoreTries;
  readonly #refused: RefusedRows;
  readonly #commits: LedgerCommits;
  /** Number of the last batch that was published. */
  #published: number;
  #idle: PromiseWithResolvers<void> | null = null;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();

  /** `ledgers`: as in the database. `number`: of the last batch that is committed. */
  constructor(
    ports: DrainPorts,
    options: { readonly ledgers: TradeLedgers; readonly number: number; readonly maxRows: number },
  ) {
    this.#ports = ports;
    this.#published = options.number;
    this.#backlog = new DrainBacklog(ports, options.number, options.maxRows);
    this.#tries = new StoreTries(ports, {
      waiting: 'The database does not take trades; they wait in the spool',
      whenWaiting: () => ({ spooled: this.#backlog.trades }),
      whenStored: () => ({ queue: 'trades', spooled: this.#backlog.trades }),
    });
    this.#refused = new RefusedRows(ports);
    this.#commits = new LedgerCommits(
      { store: ports.store, hasTradeIds: ports.hasTradeIds, tries: this.#tries, refused: this.#refused },
      options.ledgers,
    );
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Takes over a durable batch; they come in order. Shows it at once, unless it has to wait for its commit. */
  take(batch: SpoolBatch): void {
    const trades = tradesOf(batch.items);
    this.#backlog.take(batch, trades);
    if (!this.#ports.shared() && this.#published === batch.number - 1) {
      this.#published = batch.number;
      this.#ports.publish(trades, null);
      crashPoint('after-publish');
    }
    this.#idle?.resolve();
    this.#idle = null;
  }

  /** It is read back when its turn comes. `shown`: its trades are out already. */
  adopt(left: LeftBatch, shown: boolean): void {
    this.#backlog.adopt(left);
    if (shown) this.#published = left.number;
  }

  /** Whether every batch that was taken over has been shown. */
  get isShown(): boolean {
    return this.#published === this.#backlog.taken;
  }

  /** Number of the last batch that was taken over, and of the last one that is committed. */
  get progress(): { readonly taken: number; readonly committed: number } {
    return { taken: this.#backlog.taken, committed: this.#backlog.committed };
  }

  status(): DrainStatus {
    return {
      spooled: this.#backlog.trades,
      batches: this.#backlog.taken - this.#backlog.committed,
      oldestMs: this.#backlog.oldestMs,
      refused: this.#refused.count,
      refusedSample: this.#refused.sample,
      ...this.#tries.status(),
    };
  }

  /** Commits what is spooled; gives up after `deadlineMs` and returns how many trades stay in the spool for the next start. */
  async stop(deadlineMs: number): Promise<number> {
    this.#stopping = true;
    this.#idle?.resolve();
    await atMost(this.#ports.clock, deadlineMs, this.#running);
    this.#tries.abandon();
    await this.#running;
    this.#backlog[Symbol.dispose]();
    if (this.#backlog.isEmpty) await this.#backlog.discardCommitted();
    return this.#backlog.trades;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#tries.isAbandoned; ) {
      if (this.#backlog.isEmpty) {
        if (this.#stopping) return;
        this.#idle = Promise.withResolvers();
        await this.#idle.promise;
        continue;
      }
      try {
        const group = this.#commits.next ?? (await this.#backlog.next());
        if (group) await this.#commit(group);
        attempt = 0;
      } catch (error) {
        if (error instanceof AppError && error.code === 'WRITER_BEHIND') await this.#rewind();
        else await this.#tries.pause(error, attempt++);
      }
    }
  }

  async #commit(group: BatchGroup): Promise<void> {
    const { clock } = this.#ports;
    const startedAt = clock.monotonic();
    const { trades, leftOut } = this.#commits.commit(group);
    const next = this.#backlog.after(group);
    const making = next && this.#commits.makeAhead(next, group.end.last);
    try {
      const known = await leftOut;
      this.#tries.noteCommit(trades, clock.monotonic() - startedAt);
      this.#refused.tell();
      this.#publish(group, known);
      this.#backlog.release(group);
    } catch (error) {
      await making;
      if (this.#commits.next) this.#commits.dropAhead();
      throw error;
    }
    if (making) await making;
  }

  /** Shows what had to wait for its commit, without what was there already. */
  #publish({ batches, end }: BatchGroup, known: ReadonlySet<bigint>): void {
    if (end.number <= this.#published) return;
    const unseen = batches.filter(({ number }) => number > this.#published);
    this.#published = end.number;
    const trades = tradesOf(unseen.flatMap(({ items }) => items));
    this.#ports.publish(
      trades.filter(({ sequence }) => !known.has(sequence)),
      end.last,
    );
  }

  /** The database lost what it had confirmed: what is still in the spool is committed again, the rest becomes a gap. */
  async #rewind(): Promise<void> {
    const { store, log, rebase } = this.#ports;
    const position = store.position;
    await this.#commits.reload();
    const { hasAll } = await this.#backlog.rewind(position);
    log.error('The database lost commits; what the spool still holds is committed again', {
      position,
      trades: this.#backlog.trades,
      lost: hasAll ? 0 : 'older ones too: they are fetched again where the exchange still has them',
    });
    if (!hasAll) rebase(() => this.#rebuilt());
  }

  /** What is known, from the database and the spool alone. */
  async #rebuilt(): Promise<TradeLedgers> {
    const ledgers = await this.#commits.load();
    for await (const batch of this.#backlog.everyBatch())
      for (const item of batch.items) foldItem(ledgers, item, this.#ports.hasTradeIds);
    ledgers.takeChanges();
    return ledgers;
  }
}
