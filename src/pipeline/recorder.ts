import type { StreamTail } from '../market/coverage.ts';
import type { MarketEvent } from '../market/market-event.ts';
import type { Provenance } from '../market/recorded-trade.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import type { Gate } from '../runtime/gate.ts';
import type { Log } from '../runtime/log.ts';
import type { StreamStretch } from '../storage/stream-coverage.ts';
import { BatchWriter, type BatchWriterStatus } from './drain/batch-writer.ts';
import type { DrainStatus, LeftBatch, TradeStore } from './drain/drain-ports.ts';
import { TradeDrain } from './drain/trade-drain.ts';
import type { TradeFeed } from './feed/trade-feed.ts';
import { foldItem, type HasTradeIds } from './intake/fold-trades.ts';
import { GapBoard } from './intake/gap-board.ts';
import { type IntakeStatus, TradeIntake } from './intake/trade-intake.ts';
import { ShownCoverage } from './ledger/shown-coverage.ts';
import { TradeLedgers } from './ledger/trade-ledgers.ts';
import type { LiveEvent } from './live/live-event.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { DEFAULT_SAMPLING, Sampler, type Sampling } from './live/sampler.ts';
import { StreamCoverage } from './live/stream-coverage.ts';
import { tradesOf } from './spool/spool-batch.ts';
import type { SpoolPort } from './spool/spool-port.ts';
import { everyRow, readBatch } from './spool/spooled-batches.ts';

/** Where sampled market data goes; errors mean the same as a TradeStore's. */
export interface MarketDataStore {
  /** Stores samples and what the books say of their streams, all or nothing. */
  insert(events: readonly LiveEvent[], tails: readonly StreamTail[]): Promise<unknown>;
  /** What any books say last of each stream. */
  ends(): Promise<readonly StreamStretch[]>;
}

/** The clock on the wall may be set by so much while a batch waits. */
const CLOCK_SLACK_MS = 1_000;
/** Longest wait for what is about to be stored. */
const STORED_MS = 2_500;

export interface RecorderPorts {
  readonly spool: SpoolPort;
  readonly trades: TradeStore;
  readonly marketData: MarketDataStore;
  readonly tradeFeed: TradeFeed;
  readonly liveFeed: LiveFeed;
  readonly hasTradeIds: HasTradeIds;
  /** Closed while too many trades wait for the spool, so that sockets are not read until some are durable. */
  readonly gate: Gate;
  readonly queues: QueueRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The spool holds trades that were numbered for another database. */
  readonly foreignSpool: boolean;
  /** Whether another server writes to the same database: then a trade is shown only once it is committed as ours. */
  shared(): boolean;
  /** Nobody knows any more what the disk of the spool holds: the process has to end, and the next start finds out. */
  broken(error: unknown): void;
}

/** Batches that are committed together when storage is behind: the candles and words of many markets are then written once for all. */
export const COMMITTED_TOGETHER = 4;

export interface RecorderOptions {
  /** Per exchange; default DEFAULT_SAMPLING. */
  readonly samplingOf?: (exchange: string) => Sampling;
  /** Trades that may wait for the spool; default 32,768. The gate closes at half of it, which leaves room for what sockets have already read. */
  readonly tradeCapacity?: number;
  /** Rows of one write; default 2,000. */
  readonly maxRows?: number;
  /** ms between two batches of trades, so that those of that time go together; default 4. */
  readonly lingerMs?: number;
  /** ms for the last rows when disposed; default 5,000. */
  readonly drainMs?: number;
}

export interface TradeRecording {
  /** STORING: the database takes what comes. SPOOLING: it does not, and what comes waits in the spool. FULL: the spool has no room either. */
  readonly state: 'STORING' | 'SPOOLING' | 'FULL';
  /** In words. */
  readonly reason: string;
  readonly intake: IntakeStatus;
  readonly drain: DrainStatus;
  /** Of the disk, used by the spool. */
  readonly spoolBytes: number;
}

export interface RecorderStatus {
  readonly trades: TradeRecording;
  readonly marketData: BatchWriterStatus;
}

interface MarketDataEntry {
  readonly event: LiveEvent;
  readonly acceptedAt: number;
}

/** The one door for market events: trades are durable, then shown, then stored; the rest is live at once and stored in samples. */
export class Recorder implements AsyncDisposable {
  /** What is missing. */
  readonly gaps: GapBoard;
  /** What is known of the trades subscribers have seen. */
  readonly coverage: ShownCoverage;
  /** When the streams without ids were carried. */
  readonly streams: StreamCoverage;
  readonly #ports: RecorderPorts;
  readonly #drainMs: number;
  readonly #intake: TradeIntake;
  readonly #drain: TradeDrain;
  readonly #marketData: BatchWriter<MarketDataEntry>;
  readonly #sampler: Sampler;

  private constructor(ports: RecorderPorts, options: RecorderOptions, start: Start, ends: readonly StreamStretch[]) {
    const { tradeCapacity: capacity = 32_768, maxRows = 2_000, lingerMs = 4, drainMs = 5_000 } = options;
    this.#ports = ports;
    this.#drainMs = drainMs;
    const { known } = start;
    this.#drain = new TradeDrain(
      {
        ...ports,
        store: ports.trades,
        publish: (trades, through) =>
          ports.tradeFeed.publish(trades, through === null ? null : new Map([[ports.trades.writer, through]])),
        refused: (word) => this.#intake.say(word),
        rebase: (build) => this.#intake.rebase(build),
      },
      { ledgers: start.stored, number: start.committed, maxRows: maxRows * COMMITTED_TOGETHER },
    );
    for (const batch of start.left) this.#drain.adopt(batch, start.shown);
    this.#intake = new TradeIntake(
      {
        ...ports,
        ledgers: known,
        durable: (batch) => {
          const changes = known.takeChanges();
          this.#drain.take(batch);
          this.coverage.changed(changes);
          this.gaps.changed(changes);
        },
        rebased: () => {
          this.coverage.restart();
          this.gaps.restart();
        },
      },
      { writer: ports.trades.writer, last: start.last, number: start.number, capacity, maxRows, lingerMs },
    );
    this.coverage = new ShownCoverage({ ledgers: known, isShown: () => this.#drain.isShown && !ports.shared() });
    this.gaps = new GapBoard({
      ledgers: known,
      clock: ports.clock,
      say: (word) => this.#intake.say(word),
      settled: () => this.#intake.settled(),
    });
    this.#drain.start();
    this.streams = new StreamCoverage(
      { ...ports, store: (events, tails) => ports.marketData.insert(events, tails) },
      ends,
    );
    this.#marketData = new BatchWriter(
      {
        name: 'market data samples',
        capacity: 8_192,
        policy: 'drop-oldest',
        maxRows: 500,
        lingerMs: 100,
        write: (rows) => this.streams.write(rows.map(({ event }) => event)),
        lost: ({ event }, why) => this.streams.abandoned(event, why),
        describe: ({ event }) => `${event.exchange}:${event.symbol} ${event.kind}`,
      },
      ports,
    );
    this.#sampler = new Sampler(options.samplingOf ?? (() => DEFAULT_SAMPLING), ports.clock, (event) => {
      this.streams.queued(event);
      this.#marketData.offer({ event, acceptedAt: ports.clock.monotonic() });
    });
  }

  /** Goes on where the last process ended: what it left in the spool is shown, unless another server may have it too, and committed first. */
  static async open(ports: RecorderPorts, options: RecorderOptions = {}): Promise<Recorder> {
    const ends = await ports.marketData.ends();
    if (!ports.foreignSpool) return new Recorder(ports, options, await findStart(ports), ends);
    const stretches = await ports.trades.load();
    let number = 0;
    for await (const row of everyRow(ports.spool)) number = row.number;
    const ledgers = { stored: new TradeLedgers(stretches), known: new TradeLedgers(stretches) };
    const start = { ...ledgers, left: [], shown: true, committed: number, number, last: ports.trades.position };
    const recorder = new Recorder(ports, options, start, ends);
    await recorder.#takeOver(number);
    return recorder;
  }

  /** What the spool holds was numbered for another database: it comes in anew. */
  async #takeOver(through: number): Promise<void> {
    const { spool, trades, log } = this.#ports;
    for await (const row of everyRow(spool)) {
      if (row.number > through) break;
      for (const recorded of tradesOf(readBatch(row, trades.writer, log).items))
        while (!this.accept(recorded.trade, recorded)) await this.#intake.settled();
    }
    await this.#intake.settled();
    await spool.discard(through);
  }

  /**
   * Takes one event; cheap, never waits. False when a trade could not be taken (full or disposed): it is missing unless it is
   * fetched again. A repeated trade is taken and forgotten.
   */
  accept(event: MarketEvent, options: { readonly storeRaw: boolean; readonly provenance?: Provenance }): boolean {
    if (event.kind === 'trade') return this.#intake.accept(event, options.provenance ?? 'LIVE', options.storeRaw);
    this.#ports.liveFeed.publish(event);
    this.streams.saw(event);
    this.#sampler.accept(event);
    return true;
  }

  /**
   * Resolves once storage has all that was recorded by a time (ms, not in the future): what is asked of it as of then is answered the same
   * ever after. @throws {AppError} DATABASE_UNAVAILABLE when that takes long.
   */
  async storedUpTo(time: number): Promise<void> {
    const { clock } = this.#ports;
    while (clock.now() <= time) await clock.sleep(1); // more may be recorded in this millisecond
    const { batches, oldestMs } = this.#drain.status();
    const { queued, stampedAt } = this.#intake.status();
    if (queued === 0 && batches === 0) return;
    const oldest = Math.min(stampedAt ?? clock.now(), clock.now() - (oldestMs ?? 0));
    if (time < oldest - CLOCK_SLACK_MS) return;
    const until = clock.monotonic() + STORED_MS;
    let taken: number | null = null;
    void this.#intake.settled().then(() => {
      taken = this.#drain.progress.taken;
    });
    while (taken === null || this.#drain.progress.committed < taken) {
      if (clock.monotonic() > until)
        throw new AppError(
          'DATABASE_UNAVAILABLE',
          `What was recorded by ${new Date(time).toISOString()} is not stored yet; ask again in a moment`,
        );
      await clock.sleep(2);
    }
  }

  status(): RecorderStatus {
    const intake = this.#intake.status();
    const drain = this.#drain.status();
    const { clock, spool } = this.#ports;
    const state = intake.fullSince !== null ? 'FULL' : drain.waitingSince !== null ? 'SPOOLING' : 'STORING';
    const reason = inWords(state, intake, drain, clock.monotonic());
    return { trades: { state, reason, intake, drain, spoolBytes: spool.bytes }, marketData: this.#marketData.status() };
  }

  /** Makes durable what was taken and commits it, within the deadline; what could not be committed by then stays in the spool. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, log } = this.#ports;
    const until = clock.monotonic() + this.#drainMs;
    this.#sampler[Symbol.dispose]();
    const samples = this.#marketData.stop(this.#drainMs);
    await this.#intake.stop(this.#drainMs);
    const left = await this.#drain.stop(Math.max(0, until - clock.monotonic()));
    const lost = await samples;
    await this.streams.stop(Math.max(0, until - clock.monotonic()));
    if (left > 0) log.warn('Trades stay in the spool for the next start', { trades: left });
    if (lost > 0) log.error('Samples were left unstored at the shutdown deadline', { samples: lost });
  }
}

interface Start {
  /** What the database's ledger says, and with it what the spool adds. */
  readonly stored: TradeLedgers;
  readonly known: TradeLedgers;
  /** Batches in the spool that are not committed. */
  readonly left: readonly LeftBatch[];
  /** Whether they were shown: not while another server may commit the same trades. */
  readonly shown: boolean;
  readonly committed: number;
  readonly number: number;
  readonly last: bigint;
}

async function findStart({ spool, trades: store, tradeFeed, hasTradeIds, shared, log }: RecorderPorts): Promise<Start> {
  const stretches = await store.load();
  const known = new TradeLedgers(stretches);
  const left: LeftBatch[] = [];
  const shown = !shared();
  let [committed, number, last] = [0, 0, store.position];
  for await (const row of everyRow(spool)) {
    number = row.number;
    // One that ends where the database stands may hold words that are not committed; taken in again they change nothing.
    if (BigInt(row.last) < store.position) {
      committed = number;
      continue;
    }
    if (BigInt(row.last) > last) last = BigInt(row.last);
    const { items: all } = readBatch(row, store.writer, log);
    const items = all.filter((item) => item.kind !== 'trade' || item.sequence > store.position);
    for (const item of items) foldItem(known, item, hasTradeIds);
    const trades = tradesOf(items);
    if (shown) tradeFeed.publish(trades);
    left.push({ number, trades: trades.length, recordedAt: trades[0]?.recordedAt ?? null });
  }
  known.takeChanges();
  if (left.length > 0) log.info('Found what the last process left in the spool', { batches: left.length });
  return { stored: new TradeLedgers(stretches), known, left, shown, committed, number, last };
}

function inWords(state: TradeRecording['state'], intake: IntakeStatus, drain: DrainStatus, now: number): string {
  const waiting = `${drain.spooled} trades wait in the spool, the oldest for ${seconds(drain.oldestMs ?? 0)}`;
  if (state === 'FULL')
    return `The spool has been full for ${seconds(now - (intake.fullSince ?? now))}: sockets are not read, what is made meanwhile is fetched later where the exchange allows it; ${waiting}`;
  if (state === 'SPOOLING')
    return `The database has not taken trades for ${seconds(now - (drain.waitingSince ?? now))}: what comes is durable in the spool and committed as soon as it does; ${waiting}`;
  return drain.spooled === 0 ? 'All trades are stored' : `Storing; ${waiting}`;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
