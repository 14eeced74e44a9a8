import type { IdRange } from '../../market/coverage.ts';
import { sizeOf } from '../../market/coverage.ts';
import type { GapLedger } from '../../market/gap-ledger.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { type AcceptTrade, deliver } from '../deliver.ts';
import { backoffMs } from '../pacing/backoff.ts';
import { type ExchangeRest, idsOf, type TradesAnswer } from '../rest/exchange-rest.ts';
import { type BackfillMarket, FAILURE_CAP_MS, PATIENCE_MS } from './backfill-market.ts';
import { nextPage } from './backfill-plan.ts';
import { judge, type Search } from './trade-search.ts';

export interface BackfillPorts {
  readonly ledger: GapLedger;
  readonly accept: AcceptTrade;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface BackfillStatus {
  readonly exchange: string;
  readonly symbol: string;
  /** IDLE: nothing is missing. FILLING: it is being fetched. WAITING: it will be; `reason` says what for. */
  readonly state: 'IDLE' | 'FILLING' | 'WAITING';
  /** In words. */
  readonly reason: string;
  /** Since the start of the server. */
  readonly requests: number;
  readonly fetched: number;
  /** Trade ids that are still to be fetched. */
  readonly remaining: bigint;
  /** How long that takes by the rate budget; null where nothing remains. */
  readonly etaMs: number | null;
}

interface Job {
  readonly market: BackfillMarket;
  readonly search: Search;
  /** Counts the failures of the exchange, so that four requests that fail together count as one. */
  readonly round: number;
}

/** Enough to use the whole budget while answers take a third of a second. */
const AT_ONCE = 4;
const LOOK_MS = 100;
const NOTHING_TO_DO_MS = 3_600_000;

/** Fills the gaps of the markets of one exchange within its REST budget: each market in its turn, its newest gap first. */
export class BackfillWorker implements Disposable {
  readonly #rest: ExchangeRest;
  readonly #ports: BackfillPorts;
  #markets: readonly BackfillMarket[] = [];
  readonly #stopping = new AbortController();
  readonly #jobs = new Set<Job>();
  #nap = new AbortController();
  #round = 0;
  #failures = 0;
  #pausedUntil = 0;
  #trouble: string | null = null;

  constructor(rest: ExchangeRest, ports: BackfillPorts) {
    this.#rest = rest;
    this.#ports = ports;
    void this.#run();
  }

  add(market: BackfillMarket): void {
    if (this.#markets.includes(market)) return;
    this.#markets = [...this.#markets, market];
    this.wake();
  }

  remove(market: BackfillMarket): void {
    this.#markets = this.#markets.filter((one) => one !== market);
  }

  /** Something may be there to do. */
  wake(): void {
    this.#nap.abort();
  }

  statusOf(market: BackfillMarket): BackfillStatus {
    const { exchange, symbol, requests, fetched, remaining } = market;
    const common = { exchange, symbol, requests, fetched, remaining };
    if (remaining === 0n) return { ...common, state: 'IDLE', reason: 'nothing is missing', etaMs: null };
    const etaMs = this.#eta(market);
    const waitsFor = this.#paused ? this.#trouble : market.waitsFor;
    if (waitsFor !== null) return { ...common, state: 'WAITING', reason: waitsFor, etaMs };
    if (market.isAsked) return { ...common, state: 'FILLING', reason: `${remaining} trades to fetch`, etaMs };
    const { name } = this.#rest.adapter;
    const reason = market.hasUnseen ? `${name} does not show the newest of them yet` : 'waits for its turn';
    return { ...common, state: 'WAITING', reason, etaMs };
  }

  [Symbol.dispose](): void {
    this.#stopping.abort();
    this.#nap.abort();
  }

  get #paused(): boolean {
    return this.#ports.clock.monotonic() < this.#pausedUntil;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#nap = new AbortController();
      const job = this.#next();
      if (job) void this.#do(job);
      else await this.#ports.clock.sleep(this.#napMs(), this.#nap.signal).catch(() => undefined);
    }
  }

  #napMs(): number {
    return this.#markets.some(({ open }) => open.length > 0) ? LOOK_MS : NOTHING_TO_DO_MS;
  }

  /** Starts nothing when the exchange is in trouble but one request at a time, to see whether it still is. */
  #next(): Job | null {
    if (this.#paused || this.#jobs.size >= (this.#failures > 0 ? 1 : AT_ONCE)) return null;
    for (const market of this.#markets) {
      const search = this.#searchIn(market);
      if (!search) continue;
      this.#markets = [...this.#markets.filter((one) => one !== market), market]; // to the end of the queue
      return { market, search, round: this.#round };
    }
    return null;
  }

  #searchIn(market: BackfillMarket): Search | null {
    const { capabilities, rest, name } = this.#rest.adapter;
    const open = market.due();
    if (open.length === 0) return null;
    const { by, reach, pageSize } = capabilities.tradeBackfill;
    if (by === 'none') {
      this.#giveUp(market, open, () => `${name} cannot be asked for past trades (${reach})`).catch(() => undefined);
      return null;
    }
    const page = nextPage({ open, asked: market.taken, pages: rest.pages, pageSize });
    if (!page) return null;
    const recent = market.isAsked ? null : market.amongRecent(page.stretch, rest.recentLimit);
    if (recent) return { way: 'recent', stretch: page.stretch, part: recent, limit: rest.recentLimit };
    return { way: rest.pages, ...page, limit: pageSize };
  }

  async #do(job: Job): Promise<void> {
    const { market, search, round } = job;
    this.#jobs.add(job);
    const asked = market.ask(search.part);
    try {
      if (await this.#fetch(job)) market.progressed();
      if (round === this.#round) this.#recovered();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      market.failed(messageOf(error));
      const ofTheExchange = error instanceof AppError && error.code === 'EXCHANGE_REST_FAILED';
      if (ofTheExchange && round === this.#round) this.#failed(error.message);
    } finally {
      this.#jobs.delete(job);
      asked[Symbol.dispose]();
      this.wake();
    }
  }

  /** One request and all that follows from its answer; whether it brought anything. */
  async #fetch({ market, search }: Job): Promise<boolean> {
    const { signal } = this.#stopping;
    market.requests += 1;
    const answer = await this.#rest.trades(
      market.symbol,
      (nativeSymbol) => this.#request(nativeSymbol, search),
      signal,
    );
    // The newest trades may reach into other gaps than the one they were fetched for.
    const stretches = search.way === 'recent' ? market.open : [search.stretch];
    const findings = stretches.map((stretch) => judge({ ...search, stretch }, answer));
    const found = market.lacks(
      findings.flatMap((finding) => finding.found),
      search.part,
    );
    await deliver(found, 'BACKFILL', this.#ports, signal);
    market.fetched += found.length;
    const unseen = search.way === 'recent' ? null : findings[0]?.unseen;
    // An empty page below the one that ended early: two answers that agree on where the record begins.
    const older = unseen && answer.trades.length === 0 && market.isOlderThanRecord(unseen);
    const notThere = unseen && (older || market.notShown(unseen)) ? [unseen] : [];
    if (search.way !== 'recent' && !unseen) market.shown(search.part);
    for (const { begins } of findings) if (begins !== null) market.recordBeginsAt(begins);
    const absent = findings.flatMap((finding) => finding.absent);
    await this.#giveUp(market, absent, (range) => this.#whyAbsent(range, answer.trades[0]?.tradeId));
    await this.#giveUp(market, notThere, () => this.#whyUnseen(answer.trades.length === 0));
    const progress = found.length + absent.length + notThere.length > 0;
    return this.#judgeProgress(market, search, { progress, ...answer });
  }

  #judgeProgress(
    market: BackfillMarket,
    search: Search,
    answer: TradesAnswer & { readonly progress: boolean },
  ): boolean {
    const { name } = this.#rest.adapter;
    const left = market.open.some(({ first, last }) => first <= search.part.last && last >= search.part.first);
    if (search.way === 'recent') {
      const [oldest] = answer.trades;
      if (!answer.progress) market.recentHelpedNothing(oldest ? idsOf(oldest).first : null);
      return answer.progress;
    }
    if (answer.rejected > 0 && left) market.stuck(`${name} prints ${answer.rejected} trades that cannot be read`);
    else if (!answer.progress && left && !market.hasUnseen) market.stuck(`${name} shows nothing of what is missing`);
    else return answer.progress;
    return false;
  }

  #request(nativeSymbol: string, { way, part }: Search) {
    const { rest } = this.#rest.adapter;
    if (way === 'recent') return rest.recentTrades(nativeSymbol);
    // One id beyond each end: above, the one that proves that REST has got there.
    const beforeId = String(part.last + 2n);
    return rest.tradesPage(nativeSymbol, { afterId: String(part.first - 1n), beforeId });
  }

  /** Resolves when it is in the ledger. */
  async #giveUp(market: BackfillMarket, ranges: readonly IdRange[], cause: (range: IdRange) => string): Promise<void> {
    const { ledger, log } = this.#ports;
    const { exchange, symbol } = market;
    using given = market.giveUp(ranges);
    for (const range of given.ranges) {
      const why = cause(range);
      const { first, last } = { first: String(range.first), last: String(range.last) };
      log.warn('Trades are missing for good', {
        exchange,
        symbol,
        first,
        last,
        trades: String(sizeOf(range)),
        cause: why,
      });
      ledger.giveUp(exchange, symbol, range, why);
    }
    if (given.ranges.length > 0) await ledger.settled();
  }

  /** Where nothing below the range was shown either, the exchange's record begins above it. */
  #whyAbsent({ last }: IdRange, oldestShown: string | undefined): string {
    return oldestShown !== undefined && BigInt(oldestShown) > last
      ? this.#olderThanKept
      : `${this.#rest.adapter.name} has no trades with these ids`;
  }

  #whyUnseen(showedNothing: boolean): string {
    return showedNothing
      ? this.#olderThanKept
      : `${this.#rest.adapter.name} has not shown these ids for ${PATIENCE_MS / 1_000} s`;
  }

  get #olderThanKept(): string {
    const { name, capabilities } = this.#rest.adapter;
    return `older than what ${name} keeps (${capabilities.tradeBackfill.reach})`;
  }

  #failed(reason: string): void {
    const { clock, random, log } = this.#ports;
    this.#round += 1;
    this.#trouble = reason;
    this.#pausedUntil = clock.monotonic() + backoffMs(this.#failures++, FAILURE_CAP_MS, random);
    if (this.#failures === 1)
      log.warn('Fetching missing trades failed, trying again', { exchange: this.#rest.adapter.id, reason });
    else log.debug('Fetching missing trades failed again', { exchange: this.#rest.adapter.id, reason });
  }

  #recovered(): void {
    if (this.#failures > 1)
      this.#ports.log.info('Missing trades are fetched again', { exchange: this.#rest.adapter.id });
    this.#failures = 0;
    this.#trouble = null;
  }

  /** By the budget alone, shared with the other markets that miss something. */
  #eta(market: BackfillMarket): number {
    const { rest, capabilities } = this.#rest.adapter;
    const pageMs = this.#rest.paceOf(rest.tradesPage('', { afterId: '0', beforeId: '2' }));
    const pages = ({ open }: BackfillMarket) =>
      open.reduce(
        (sum, gap) => sum + Math.ceil(Number(sizeOf(gap)) / Math.max(1, capabilities.tradeBackfill.pageSize - 1)),
        0,
      );
    const all = this.#markets.reduce((sum, one) => sum + pages(one), 0);
    const waiting = this.#markets.filter(({ open }) => open.length > 0).length;
    return Math.round(Math.min(all, pages(market) * waiting) * pageMs);
  }
}
