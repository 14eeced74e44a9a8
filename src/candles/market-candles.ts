import {
  type Candle,
  type CandleKey,
  type Completeness,
  candleOf,
  completenessOf,
  GRACE_MS,
} from '../market/candle.ts';
import { type CandleWindow, type Windows, windowAt } from '../market/candle-window.ts';
import type { CoverageInterval } from '../market/coverage-intervals.ts';
import { type CandleBasis, GrowingCandle } from '../market/growing-candle.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { CandleChange } from './candle-change.ts';

interface Kept {
  readonly window: CandleWindow;
  readonly growing: GrowingCandle;
  /** As subscribers know it; null while they have heard nothing of it. */
  told: Candle | null;
}

/** What is known of a range; null: nothing may be claimed now. */
export type Claims = (range: { readonly from: number; readonly to: number }) => readonly CoverageInterval[] | null;

/** Closed candles that are final and kept for trades that come late. */
const FINAL_KEPT = 64;
/** A trade that is further ahead of our clock closes no candle: some clock is wrong. */
const AHEAD_MS = 60_000;
const NOTHING_CLAIMED: Completeness = { completeness: 'UNPROVEN', coverageRatio: 0 };

/**
 * The candles of one market and one length as its trades make them, one after the other. Pure but for itself: whoever owns it says
 * what time it is, and gives it what storage holds of a candle before trades come into that.
 */
export class MarketCandles {
  readonly key: CandleKey;
  readonly #windows: Windows;
  readonly #most: number;
  readonly #kept = new Map<number, Kept>();
  /** Those of them that subscribers have to hear of: new ones, and those trades came into. */
  readonly #changed = new Set<Kept>();
  #closedThrough: number;
  /** Newest exchange time seen, ms. */
  #head = Number.NEGATIVE_INFINITY;
  /** Of candles that begin here or later and are not kept there was no trade. */
  #emptyFrom = Number.POSITIVE_INFINITY;
  #forgetAt = 2 * FINAL_KEPT;
  /** Something else may be known of candles that are over. */
  #recheck = false;

  /** `closedThrough`: the end of the last closed candle, ms. `most`: closed candles to keep. */
  constructor(key: CandleKey, closedThrough: number, most: number) {
    this.key = key;
    this.#windows = { interval: key.interval, timeZone: 'UTC', anchor: null };
    this.#closedThrough = closedThrough;
    this.#most = Math.max(most, FINAL_KEPT);
  }

  get closedThrough(): number {
    return this.#closedThrough;
  }

  /** Candles that changed since they were last told. */
  get changed(): number {
    return this.#changed.size;
  }

  /** When the clock closes the next candle, ms. */
  get closesAt(): number {
    return windowAt(this.#windows, this.#closedThrough).closeTime + GRACE_MS;
  }

  /** There was no trade after this time, ms, but for those in what is kept. */
  endsAt(time: number): void {
    this.#emptyFrom = time + 1;
  }

  /** Another thing may be known of what is closed. */
  recheck(): void {
    this.#recheck = true;
  }

  /** The candles of these times that storage has to tell of first. */
  unknown(times: Iterable<number>): readonly CandleWindow[] {
    const windows = new Map<number, CandleWindow>();
    let last: CandleWindow | null = null;
    for (const time of times) {
      if (last !== null && time >= last.openTime && time < last.closeTime) continue;
      last = windowAt(this.#windows, time);
      if (last.openTime < this.#emptyFrom && !this.#kept.has(last.closeTime)) windows.set(last.closeTime, last);
    }
    return [...windows.values()];
  }

  /** As `unknown`, of the candles that close by now and the one that is open then. */
  unknownUntil(now: number): readonly CandleWindow[] {
    const end = Math.max(this.#closesThrough(now), now);
    const times: number[] = [];
    for (let at = this.#closedThrough; at <= end; at = windowAt(this.#windows, at).closeTime) times.push(at);
    return this.unknown(times);
  }

  /** Whether there is anything to tell by now. */
  isDue(now: number): boolean {
    return this.#changed.size > 0 || this.#recheck || this.#closesThrough(now) > this.#closedThrough;
  }

  /** How many candles close by now. */
  closing(now: number): number {
    return Math.ceil((this.#closesThrough(now) - this.#closedThrough) / shortest(this.#windows));
  }

  /** Takes in what storage holds of a candle; `claims` says what was known of it. */
  adopt(window: CandleWindow, basis: CandleBasis | null, claims: Claims): void {
    if (this.#kept.has(window.closeTime)) return;
    const kept = this.#keep(window, basis);
    if (window.closeTime > this.#closedThrough) return;
    this.#changed.delete(kept);
    // What comes into it now was missing before.
    const before = claims({ from: window.openTime, to: window.closeTime })?.map(
      (one): CoverageInterval => (one.status === 'BACKFILLED' ? { ...one, status: 'GAP' } : one),
    );
    const traded = { ...window, values: kept.growing.values };
    kept.told = candleOf(this.key, traded, (before && completenessOf([traded], before)[0]) ?? NOTHING_CLAIMED, true);
  }

  add(recorded: RecordedTrade): void {
    const time = recorded.trade.exchangeTime;
    const window = windowAt(this.#windows, time);
    const kept = this.#keep(window);
    kept.growing.add(recorded);
    this.#changed.add(kept);
    if (time <= this.#head || time > recorded.recordedAt + AHEAD_MS) return;
    this.#recheck ||= this.#closedThrough > this.#head; // it may prove what the clock has closed
    this.#head = time;
  }

  /** What there is to tell since the last call, by time. Candles close that are over by now, or by the newest trade. */
  tell(now: number, claims: Claims): readonly CandleChange[] {
    const before = this.#closedThrough;
    const due = this.#due(before, this.#closesThrough(now));
    this.#closedThrough = this.#closesThrough(now);
    const said = this.#said(due, claims);
    const changes = due.flatMap((kept, k) => this.#change(kept, said?.[k] ?? null, now, before));
    this.#changed.clear();
    this.#recheck = said === null && due.length > 0;
    if (this.#kept.size > this.#forgetAt) this.#forget();
    return changes;
  }

  /** The candles that are forming, as they were last told. */
  get forming(): readonly Candle[] {
    return [...this.#kept.values()].flatMap(({ told, window }) =>
      told !== null && window.closeTime > this.#closedThrough ? [told] : [],
    );
  }

  #keep(window: CandleWindow, basis: CandleBasis | null = null): Kept {
    const known = this.#kept.get(window.closeTime);
    if (known) return known;
    const kept = { window, growing: new GrowingCandle(window, basis), told: null };
    this.#kept.set(window.closeTime, kept);
    this.#changed.add(kept);
    return kept;
  }

  #closesThrough(now: number): number {
    const byClock = windowAt(this.#windows, now - GRACE_MS).openTime;
    const byTrade = this.#head === Number.NEGATIVE_INFINITY ? byClock : windowAt(this.#windows, this.#head).openTime;
    return Math.max(this.#closedThrough, byClock, byTrade);
  }

  /** Candles there may be something to tell of, by time; with those that end in (from, to]. */
  #due(from: number, to: number): readonly Kept[] {
    const due = new Set(this.#changed);
    for (let at = from; at < to; ) {
      const window = windowAt(this.#windows, at);
      due.add(this.#keep(window));
      at = window.closeTime;
    }
    if (this.#recheck) for (const kept of this.#kept.values()) if (kept.told?.availableAt != null) due.add(kept);
    return [...due].sort((a, b) => a.window.closeTime - b.window.closeTime);
  }

  #said(due: readonly Kept[], claims: Claims): readonly Completeness[] | null {
    const [first, last] = [due[0], due.at(-1)];
    if (first === undefined || last === undefined) return null;
    const intervals = claims({ from: first.window.openTime, to: last.window.closeTime });
    const traded = due.map(({ window, growing }) => ({ ...window, values: growing.values }));
    return intervals && completenessOf(traded, intervals);
  }

  #change(kept: Kept, said: Completeness | null, now: number, before: number): readonly CandleChange[] {
    const { window, growing, told } = kept;
    const isChanged = this.#changed.has(kept);
    const isClosed = window.closeTime <= this.#closedThrough;
    const closes = isClosed && window.closeTime > before;
    if (!isChanged && !closes && said === null) return [];
    const traded = { ...window, values: growing.values };
    const candle = candleOf(this.key, traded, said ?? NOTHING_CLAIMED, isClosed || window.closeTime <= now);
    kept.told = candle;
    if (closes) return [{ type: 'CLOSED', candle, previous: null }];
    if (isClosed && isChanged) return [{ type: 'REVISED', candle, previous: told }];
    if (isChanged || told?.completeness !== candle.completeness || told.coverageRatio !== candle.coverageRatio)
      return [{ type: 'UPDATED', candle, previous: null }];
    return [];
  }

  /** Lets go of the oldest closed candles, final ones first; storage has them. */
  #forget(): void {
    const closed = [...this.#kept.values()]
      .filter(({ window }) => window.closeTime <= this.#closedThrough)
      .sort((a, b) => a.window.closeTime - b.window.closeTime);
    const final = closed.filter(({ told }) => told?.state === 'FINAL').slice(0, -FINAL_KEPT);
    for (const kept of final) this.#let(kept);
    for (const kept of closed.slice(0, -this.#most)) this.#let(kept);
    this.#forgetAt = this.#kept.size + FINAL_KEPT;
  }

  #let({ window }: Kept): void {
    this.#kept.delete(window.closeTime);
    this.#emptyFrom = Math.max(this.#emptyFrom, window.closeTime);
  }
}

const shortest = ({ interval }: Windows): number => {
  const { openTime, closeTime } = windowAt({ interval, timeZone: 'UTC', anchor: null }, Date.UTC(2023, 1, 2)); // the shortest month
  return closeTime - openTime;
};
