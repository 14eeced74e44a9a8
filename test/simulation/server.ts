/** One life of the server: the real recorder, feed, backfiller and reconciler over the simulated machines, until it is killed. */
import { Backfiller } from '../../src/collectors/backfill/backfiller.ts';
import { Reconciler } from '../../src/collectors/backfill/reconciler.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Provenance } from '../../src/market/recorded-trade.ts';
import { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import { LiveFeed } from '../../src/pipeline/live/live-feed.ts';
import { Recorder } from '../../src/pipeline/recorder.ts';
import { QueueRegistry } from '../../src/runtime/bounded-queue.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import type { Disks } from './disks.ts';
import { Lifeline } from './lifeline.ts';
import { EXCHANGE, type Random, SYMBOLS } from './tape.ts';
import { type RestState, TapeRest } from './tape-rest.ts';

interface World {
  readonly clock: ManualClock;
  readonly disks: Disks;
  readonly rest: RestState;
  readonly random: Random;
  readonly latency: () => number;
  readonly broken: (error: unknown) => void;
}

export class Server {
  readonly feed: TradeFeed;
  readonly recorder: Recorder;
  readonly #life: Lifeline;
  readonly #healers: readonly Disposable[];

  private constructor(life: Lifeline, feed: TradeFeed, recorder: Recorder, healers: readonly Disposable[]) {
    this.#life = life;
    this.feed = feed;
    this.recorder = recorder;
    this.#healers = healers;
  }

  static async start({ disks, random, broken, ...world }: World): Promise<Server> {
    disks.claim();
    const life = new Lifeline();
    const clock = life.clock(world.clock);
    const [spool, trades, queues] = [disks.spoolFor(life), disks.storeFor(life), new QueueRegistry()];
    const tradeFeed = new TradeFeed({ history: trades, clock, position: disks.store.positions, capacity: 64 });
    const recorder = await Recorder.open(
      {
        ...{ spool, trades, tradeFeed, queues, clock, random, broken, log: silentLog, foreignSpool: false },
        ...{
          gate: new Gate(),
          liveFeed: new LiveFeed({ clock, queues }),
          marketData: { insert: async () => {}, ends: async () => [] },
        },
        hasTradeIds: () => true,
        shared: () => false,
      },
      { tradeCapacity: 32, maxRows: 8 },
    );
    const rest = new TapeRest(world.rest, clock, world.latency);
    const accept = (trade: Trade, provenance: Provenance) => recorder.accept(trade, { storeRaw: false, provenance });
    const ports = { ledger: recorder.gaps, accept, clock, random, log: silentLog, restOf: () => rest };
    const backfiller = new Backfiller(ports);
    const reconciler = new Reconciler(ports);
    for (const symbol of SYMBOLS) reconciler.began(EXCHANGE, symbol, 'the server started');
    for (const { symbol } of recorder.gaps.openMarkets()) backfiller.watch(EXCHANGE, symbol);
    return new Server(life, tradeFeed, recorder, [backfiller, reconciler]);
  }

  get settled(): boolean {
    const { intake, drain } = this.recorder.status().trades;
    return this.recorder.gaps.openCount === 0 && intake.queued === 0 && drain.spooled === 0;
  }

  /** Ends at once: nothing it began is finished by it. */
  kill(onItsWay: 'arrives' | 'is lost'): void {
    this.#life.cut(onItsWay);
    for (const healer of this.#healers) healer[Symbol.dispose]();
  }
}
