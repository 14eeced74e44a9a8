/** Spool and database as one process reaches them: with latency, outages, lost answers, failovers, and cut off at its death. */
import type { MarketStretch } from '../../src/market/coverage.ts';
import type { TradeStore } from '../../src/pipeline/drain/drain-ports.ts';
import type { TradeHistory } from '../../src/pipeline/feed/trade-request.ts';
import type { SpoolPort } from '../../src/pipeline/spool/spool-port.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { TradeCommit } from '../../src/storage/trade-writer.ts';
import { MemorySpool, spoolFull } from '../pipeline/memory-spool.ts';
import { MemoryTradeStore, outOfRange } from '../pipeline/memory-trade-store.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import type { Lifeline } from './lifeline.ts';

const unavailable = () => new AppError('DATABASE_UNAVAILABLE', 'The database does not answer');

interface Snapshot {
  readonly position: bigint;
  readonly stretches: readonly MarketStretch[];
}

interface DiskPorts {
  readonly clock: ManualClock;
  /** ms one call takes. */
  readonly latency: () => number;
  /** A commit is in the database. */
  readonly committed: (commit: TradeCommit) => void;
  /** A bug to be found: what gets into the database instead of the commit. */
  readonly sabotage: (commit: TradeCommit) => TradeCommit;
}

/** The machines: they outlive every process. */
export class Disks {
  readonly spool = new MemorySpool();
  readonly store = new MemoryTradeStore();
  readonly poison = new Set<string>();
  databaseAway = false;
  full = false;
  fullSeen = 0;
  /** Commits that will happen without anybody hearing of it. */
  unconfirmed = 0;
  unconfirmedSeen = 0;
  readonly #ports: DiskPorts;
  #snapshots: Snapshot[] = [{ position: 0n, stretches: [] }];
  #behind = false;

  constructor(ports: DiskPorts) {
    this.#ports = ports;
    this.store.beforeWrite = (batch) => {
      if (this.databaseAway) throw unavailable();
      if (this.#behind) {
        this.#behind = false;
        throw new AppError('WRITER_BEHIND', `The database stands at ${this.store.position}`);
      }
      if (batch.some(({ trade }) => this.poison.has(`${trade.symbol} ${trade.tradeId}`))) throw outOfRange();
    };
    this.store.afterWrite = () => {
      if (this.unconfirmed === 0) return;
      this.unconfirmed -= 1;
      this.unconfirmedSeen += 1;
      throw unavailable();
    };
  }

  /** A new process reads the position anew. */
  claim(): void {
    this.#behind = false;
    this.store.forget(this.#stored, this.store.stretches());
  }

  get #stored(): bigint {
    return this.store.positions.get(this.store.writer) ?? 0n;
  }

  /**
   * The database loses its newest commits, and the spool (`beyond`) some of their batches too, though never its newest: were
   * that gone as well, a process that starts then gives the same numbers to other trades, which clients that have seen the lost
   * ones do not ask for. Returns the trades that are lost; null when there was nothing to lose.
   */
  failover(commits: number, beyond: number): readonly string[] | null {
    const target = this.#snapshots.at(-1 - Math.min(commits, this.#snapshots.length - 1));
    const stood = this.#stored;
    if (target === undefined || target.position >= stood) return null;
    const lost = this.store.log.filter(({ sequence }) => sequence > target.position);
    const rows = this.spool.rows.filter(({ last }) => BigInt(last) > target.position && BigInt(last) <= stood);
    const newest = this.spool.rows.at(-1)?.number ?? 0;
    const older = rows.filter(({ number }) => number < newest);
    const through = older[Math.min(beyond, older.length) - 1]?.number;
    if (through !== undefined) void this.spool.discard(through);
    this.#behind ||= this.store.position > target.position;
    this.store.forget(target.position, target.stretches);
    this.#snapshots = this.#snapshots.slice(0, this.#snapshots.indexOf(target) + 1);
    return lost.map(({ trade }) => `${trade.symbol} ${trade.tradeId}`);
  }

  spoolFor(life: Lifeline): SpoolPort {
    const { spool } = this;
    const { clock, latency } = this.#ports;
    return {
      get bytes() {
        return spool.bytes;
      },
      append: (rows) =>
        life.through(async () => {
          await clock.sleep(latency());
          if (!life.alive && life.onItsWay === 'is lost') return;
          if (this.full) {
            this.fullSeen += 1;
            throw spoolFull();
          }
          await spool.append(rows);
        }),
      read: (after, maxRows) => life.through(() => spool.read(after, maxRows)),
      discard: (through) => life.through(() => spool.discard(through)),
    };
  }

  storeFor(life: Lifeline): TradeStore & TradeHistory {
    const { store } = this;
    const { clock, latency } = this.#ports;
    return {
      writer: store.writer,
      get position() {
        return store.position;
      },
      write: (commit) =>
        life.through(async () => {
          await clock.sleep(latency());
          if (!life.alive && life.onItsWay === 'is lost') return { leftOut: new Set<bigint>() };
          return this.#write(commit);
        }),
      prepare: async () => {},
      load: () =>
        life.through(async () => {
          if (this.databaseAway) throw unavailable();
          return store.load();
        }),
      quarantine: (row) => life.through(() => store.quarantine(row)),
      tradesAfter: (position, filter, limit) => life.through(() => store.tradesAfter(position, filter, limit)),
    };
  }

  async #write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }> {
    const { beforeWrite } = this.store;
    let refused = false;
    this.store.beforeWrite = (batch) => {
      refused = true;
      beforeWrite(batch);
      refused = false;
    };
    try {
      return await this.store.write(this.#ports.sabotage(commit));
    } finally {
      this.store.beforeWrite = beforeWrite;
      if (!refused) this.#keep(commit);
    }
  }

  #keep(commit: TradeCommit): void {
    this.#snapshots.push({ position: this.#stored, stretches: this.store.stretches() });
    if (this.#snapshots.length > 40) this.#snapshots.shift();
    this.#ports.committed(commit);
  }
}
