/** One run: the pipeline in virtual time under the faults of a seed, compared with what the exchange made. */
import { createHash } from 'node:crypto';
import type { TradeCommit } from '../../src/storage/trade-writer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Disks } from './disks.ts';
import { everTrue, finallyTrue } from './oracle.ts';
import { type Fault, schedule } from './schedule.ts';
import { Server } from './server.ts';
import { Subscriber } from './subscriber.ts';
import { below, EPOCH, type Random, SYMBOLS, seeded, Tape } from './tape.ts';
import type { RestState } from './tape-rest.ts';

export const COUNTED = [
  ...[
    'trades',
    'unknown commit',
    'replayed duplicate',
    'gap filled',
    'gap unfillable',
    'kill',
    'kill with spooled rest',
  ],
  ...['failover', 'failover beyond the spool', 'spool full', 'poison row'],
] as const;
export type Counted = (typeof COUNTED)[number];

export interface Outcome {
  readonly wrong: readonly string[];
  /** Of all that happened, in order. */
  readonly hash: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface RunOptions {
  /** A bug to be found: what gets into the database instead of a commit. */
  readonly sabotage?: (commit: TradeCommit) => TradeCommit;
  /** Every line of what happens. */
  readonly trace?: (line: string) => void;
}

const SETTLE_STEP_MS = 5_000;
const SETTLE_STEPS = 60;
/** The reconciler looks at a stream that seems well once a minute. */
const SETTLE_LEAST = 14;

class Run {
  readonly counts: Record<string, number> = Object.fromEntries(COUNTED.map((name) => [name, 0]));
  readonly wrong = new Set<string>();
  readonly #hash = createHash('sha256');
  readonly #options: RunOptions;
  readonly #clock = new ManualClock(EPOCH);
  readonly #random: Random;
  readonly #tapes: readonly Tape[];
  readonly #rest: RestState;
  readonly #disks: Disks;
  readonly #subscribers: readonly Subscriber[];
  readonly #lost = new Set<string>();
  #server: Server | null = null;
  #startAt = 0;

  constructor(seed: number, options: RunOptions) {
    this.#options = options;
    this.#random = seeded(seed);
    this.#tapes = SYMBOLS.map((_, market) => new Tape(seed, market));
    this.#rest = { tapes: this.#tapes, horizon: [0, 0], lagMs: below(this.#random, 1_500), away: false };
    this.#disks = new Disks({
      clock: this.#clock,
      latency: () => below(this.#random, 15),
      committed: (commit) => {
        this.#note(`commit ${commit.last} ${commit.trades.length} trades, ${commit.changes.length} changes`);
        this.#check();
      },
      sabotage: options.sabotage ?? ((commit) => commit),
    });
    const told = (who: number) => (trades: readonly { readonly sequence: bigint }[]) =>
      this.#note(`client ${who} ${trades.map(({ sequence }) => sequence)}`);
    this.#subscribers = [new Subscriber({}, told(0)), new Subscriber({ symbols: [SYMBOLS[1]] }, told(1))];
  }

  async go(): Promise<Outcome> {
    const { steps, end } = schedule(this.#tapes, this.#random);
    await this.#start();
    for (const { at, fault } of steps) {
      await this.#until(at);
      await this.#happen(fault);
    }
    await this.#until(end);
    Object.assign(this.#disks, { databaseAway: false, full: false, unconfirmed: 0 });
    this.#rest.away = false;
    while (this.#server === null) await this.#until(this.#startAt);
    for (const market of this.#tapes.keys()) this.#frame(market, (this.#tapes[market]?.count ?? 0) - 1);
    await this.#settle();
    this.#judge();
    await this.#kill('is lost');
    return { wrong: [...this.wrong], hash: this.#hash.digest('hex'), counts: this.counts };
  }

  async #until(at: number): Promise<void> {
    if (this.#server === null && this.#startAt <= at) {
      await this.#clock.advance(Math.max(0, this.#startAt - this.#clock.monotonic()));
      if (this.#disks.databaseAway) this.#startAt = this.#clock.monotonic() + 500;
      else await this.#start();
      return this.#until(at);
    }
    await this.#clock.advance(Math.max(0, at - this.#clock.monotonic()));
  }

  async #settle(): Promise<void> {
    for (let step = 0; step < SETTLE_STEPS; step += 1) {
      await this.#clock.advance(SETTLE_STEP_MS);
      const open = this.#disks.store.stretches().some(({ status }) => status === 'GAP');
      if (step >= SETTLE_LEAST && this.#server?.settled && !open) return this.#clock.advance(500);
    }
  }

  async #happen(fault: Fault): Promise<void> {
    if (fault.kind !== 'frame') this.#note(JSON.stringify(fault));
    switch (fault.kind) {
      case 'frame':
        return this.#frame(fault.market, fault.place);
      case 'kill':
        if (this.#server === null) return;
        this.#startAt = this.#clock.monotonic() + fault.downMs;
        return this.#kill(fault.onItsWay);
      case 'database':
        this.#disks.databaseAway = !fault.works;
        return;
      case 'spool':
        this.#disks.full = !fault.works;
        return;
      case 'rest':
        this.#rest.away = !fault.works;
        return;
      case 'unconfirmed':
        this.#disks.unconfirmed = fault.commits;
        return;
      case 'failover':
        return this.#failover(fault.commits, fault.beyond);
      case 'horizon':
        this.#rest.horizon[fault.market] = Math.max(this.#rest.horizon[fault.market] ?? 0, fault.place);
        return;
      case 'poison':
        this.#disks.poison.add(this.#key(fault.market, fault.place));
        return;
      case 'client':
        for (const one of this.#subscribers) await one.cut();
        if (this.#server) for (const one of this.#subscribers) one.connect(this.#server.feed);
        return;
      case 'check':
        return this.#check();
      default:
        return fault satisfies never;
    }
  }

  #frame(market: number, place: number): void {
    const trade = this.#tapes[market]?.trade(place, this.#clock.now());
    if (trade === undefined || this.#server === null) return;
    const taken = this.#server.recorder.accept(trade, { storeRaw: false });
    this.#note(`frame ${market} ${place}${taken ? '' : ' turned away'}`);
  }

  #failover(commits: number, beyond: number): void {
    const lost = this.#disks.failover(commits, beyond);
    if (lost === null) return;
    this.#count(beyond > 0 ? 'failover beyond the spool' : 'failover');
    this.#note(`failover lost ${lost}`);
    for (const key of lost) this.#lost.add(key);
  }

  async #start(): Promise<void> {
    const { clock, disks, rest, random } = {
      clock: this.#clock,
      disks: this.#disks,
      rest: this.#rest,
      random: this.#random,
    };
    const broken = (error: unknown) => this.wrong.add(`BROKEN ${error}`);
    this.#note('start');
    this.#server = await Server.start({ clock, disks, rest, random, latency: () => below(random, 300), broken });
    for (const one of this.#subscribers) one.connect(this.#server.feed);
  }

  async #kill(onItsWay: 'arrives' | 'is lost'): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const { intake, drain } = server.recorder.status().trades;
    this.#count('replayed duplicate', intake.repeated);
    this.#count('kill');
    if (drain.spooled > 0) this.#count('kill with spooled rest');
    server.kill(onItsWay);
    for (const one of this.#subscribers) await one.cut();
  }

  #check(): void {
    const stored = { log: this.#disks.store.log, stretches: this.#disks.store.stretches() };
    for (const tape of this.#tapes)
      for (const what of everTrue(tape, stored)) {
        if (!this.wrong.has(what)) this.#note(`WRONG ${what}`);
        this.wrong.add(what);
      }
  }

  #judge(): void {
    const { store, poison, fullSeen, unconfirmedSeen } = this.#disks;
    const stored = { log: store.log, stretches: store.stretches() };
    this.#check();
    for (const [market, tape] of this.#tapes.entries()) {
      const gone = (place: number) => place < (this.#rest.horizon[market] ?? 0) || poison.has(this.#key(market, place));
      for (const what of finallyTrue(tape, stored, gone)) this.wrong.add(what);
    }
    const excused = (key: string) => this.#lost.has(key) || poison.has(key);
    for (const one of this.#subscribers) for (const what of one.judge(store.log, excused)) this.wrong.add(what);
    this.#count('trades', store.log.length);
    this.#count('unknown commit', unconfirmedSeen);
    this.#count('spool full', fullSeen);
    this.#count('poison row', store.quarantined.length);
    for (const { status } of stored.stretches) {
      if (status === 'BACKFILLED') this.#count('gap filled');
      if (status === 'UNFILLABLE') this.#count('gap unfillable');
    }
  }

  #key(market: number, place: number): string {
    return `${SYMBOLS[market]} ${this.#tapes[market]?.id(place)}`;
  }

  #count(what: Counted, times = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + times;
  }

  #note(what: string): void {
    const line = `${this.#clock.monotonic()} ${what}`;
    this.#hash.update(`${line}\n`);
    this.#options.trace?.(line);
  }
}

export const simulate = (seed: number, options: RunOptions = {}): Promise<Outcome> => new Run(seed, options).go();
