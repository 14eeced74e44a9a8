import { type IdRange, sizeOf } from '../../market/coverage.ts';
import type { GapLedger, OpenGap } from '../../market/gap-ledger.ts';
import type { Trade } from '../../market/market-event.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import { backoffMs } from '../pacing/backoff.ts';
import { idsOf } from '../rest/exchange-rest.ts';
import { max, min, overlap } from './trade-search.ts';

/** Frames may come in another order than the trades: what fills a gap by itself within this time is not asked for. */
const GRACE_MS = 300;
/** REST not showing an id, in answer after answer for so long, counts as not having it. */
export const PATIENCE_MS = 60_000;
const LOOK_AGAIN_CAP_MS = 5_000;
/** The newest trades helped nothing: pages do for a while. */
const RECENT_AGAIN_MS = 2_000;
export const FAILURE_CAP_MS = 30_000;

/** Ids that REST has not shown yet although something above them was traded. */
interface Unseen {
  readonly range: IdRange;
  readonly since: number;
  readonly looks: number;
  readonly lookAgainAt: number;
}

export interface MarketName {
  readonly exchange: string;
  readonly symbol: string;
}

/** What the backfill knows of one market beyond its open gaps. Times are monotonic. */
export class BackfillMarket {
  readonly exchange: string;
  readonly symbol: string;
  readonly #ledger: GapLedger;
  readonly #clock: Clock;
  readonly #random: Random;
  #unseen: readonly Unseen[] = [];
  readonly #asked = new Set<IdRange>();
  readonly #givingUp = new Set<IdRange>();
  requests = 0;
  fetched = 0;
  #failures = 0;
  #quietUntil = 0;
  #reason: string | null = null;
  #recentAgainAt = 0;
  #recentFrom = 0n;
  #recordBegins: bigint | null = null;

  constructor({ exchange, symbol }: MarketName, ledger: GapLedger, clock: Clock, random: Random) {
    this.exchange = exchange;
    this.symbol = symbol;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#random = random;
  }

  get open(): readonly OpenGap[] {
    return this.#ledger.openGaps(this.exchange, this.symbol);
  }

  /** Why it waits at the moment, in words; null when it does not. */
  get waitsFor(): string | null {
    return this.#clock.monotonic() < this.#quietUntil ? this.#reason : null;
  }

  get remaining(): bigint {
    return this.open.reduce((sum, gap) => sum + sizeOf(gap), 0n);
  }

  /** Open gaps that are due, newest first. After a failure one question at a time, to see whether it goes on. */
  due(): readonly OpenGap[] {
    if (this.#clock.monotonic() < this.#quietUntil || (this.#failures > 0 && this.isAsked)) return [];
    const now = this.#clock.now();
    return this.open.filter(({ gapFoundAt }) => now - gapFoundAt >= GRACE_MS || now < gapFoundAt); // a clock set back is no grace
  }

  /** Ranges that are not to be asked for now: somebody does, or REST did not show them a moment ago. */
  get taken(): readonly IdRange[] {
    const now = this.#clock.monotonic();
    return [...this.#asked, ...this.#unseen.filter(({ lookAgainAt }) => now < lookAgainAt).map(({ range }) => range)];
  }

  get isAsked(): boolean {
    return this.#asked.size > 0;
  }

  /** Takes a part until disposed; with it the ids that REST did not show with it before: one look is enough for all of them. */
  ask(part: IdRange): Disposable {
    const unseen = this.#unseen.find(({ range }) => overlap(range, part))?.range ?? part;
    const asked = { first: min(part.first, unseen.first), last: max(part.last, unseen.last) };
    this.#asked.add(asked);
    return { [Symbol.dispose]: () => this.#asked.delete(asked) };
  }

  /** The part of a gap that the newest `limit` trades probably hold; null when it is none. */
  amongRecent(gap: IdRange, limit: number): IdRange | null {
    const head = this.#ledger.known(this.exchange, this.symbol)?.last;
    if (head === undefined || this.#failures > 0 || gap.last < this.#recentFrom) return null;
    if (this.#clock.monotonic() < this.#recentAgainAt) return null;
    return overlap(gap, { first: head - BigInt(limit) + 1n, last: head });
  }

  /** Those trades that are still missing and that no other request is, or will be, about: that one begins right above the part. */
  lacks(trades: readonly Trade[], part: IdRange): readonly Trade[] {
    const { open } = this;
    const holds = (ranges: Iterable<IdRange>, ids: IdRange) => [...ranges].some((range) => overlap(range, ids));
    return trades.filter((trade) => {
      const ids = idsOf(trade);
      if (overlap(part, ids) !== null) return holds(open, ids);
      return ids.first !== part.last + 1n && holds(open, ids) && !holds(this.#asked, ids);
    });
  }

  /** Takes what of these ranges is open, and not being given up already, until disposed. */
  giveUp(ranges: readonly IdRange[]): Disposable & { readonly ranges: readonly IdRange[] } {
    const { open } = this;
    const taken = ranges
      .flatMap((range) => open.flatMap((gap) => overlap(range, gap) ?? []))
      .filter((range) => ![...this.#givingUp].some((other) => overlap(range, other)));
    for (const range of taken) this.#givingUp.add(range);
    return {
      ranges: taken,
      [Symbol.dispose]: () => {
        for (const range of taken) this.#givingUp.delete(range);
      },
    };
  }

  /** The newest trades begin with this id, or showed nothing: what is below needs pages. */
  recentHelpedNothing(oldest: bigint | null): void {
    this.#recentAgainAt = this.#clock.monotonic() + RECENT_AGAIN_MS;
    this.#recentFrom = oldest ?? this.#recentFrom;
  }

  /** An answer did not show these ids. True when nothing new of them was shown for long enough to believe that they are not there. */
  notShown(range: IdRange): boolean {
    const now = this.#clock.monotonic();
    const before = this.#unseen.find((one) => overlap(one.range, range));
    const { since, looks } = before?.range.first === range.first ? before : { since: now, looks: 0 };
    this.shown(range);
    if (now - since >= PATIENCE_MS) return true;
    const lookAgainAt = now + Math.min(LOOK_AGAIN_CAP_MS, 250 * 2 ** looks);
    this.#unseen = [...this.#unseen, { range, since, looks: looks + 1, lookAgainAt }];
    return false;
  }

  /** What the exchange keeps seems to begin with this id. */
  recordBeginsAt(id: bigint): void {
    this.#recordBegins = id;
  }

  /** Whether all of a range is older than what the exchange seemed to keep. */
  isOlderThanRecord({ last }: IdRange): boolean {
    return this.#recordBegins !== null && last < this.#recordBegins;
  }

  /** An answer showed all it could of these ids. */
  shown(range: IdRange): void {
    this.#unseen = this.#unseen.filter((one) => !overlap(one.range, range));
  }

  /** An answer changed nothing, or could not be read to the end: not again at once. */
  stuck(reason: string): void {
    this.#quiet(reason);
  }

  /** After a failure nothing that was seen, or not seen, before counts: REST may come back with an older state. */
  failed(reason: string): void {
    this.#unseen = [];
    this.#recordBegins = null;
    this.#quiet(reason);
  }

  progressed(): void {
    this.#failures = 0;
    this.#reason = null;
  }

  /** Whether REST lags behind what was traded. */
  get hasUnseen(): boolean {
    return this.#unseen.length > 0;
  }

  #quiet(reason: string): void {
    this.#reason = reason;
    this.#quietUntil = this.#clock.monotonic() + backoffMs(this.#failures++, FAILURE_CAP_MS, this.#random);
  }
}
