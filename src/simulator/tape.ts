import type { Side } from '../market/market-event.ts';
import { AppError } from '../runtime/errors.ts';
import { hash32, seedOf } from './hash.ts';
import { type Instrument, instrumentOf, priceText, type SimulatedExchange, sizeText } from './instrument.ts';

/**
 * Everything one instrument will ever trade, as a pure function of the place `k` = 0, 1, 2 ...: nothing is stored, nothing
 * is iterated, so any trade can be recomputed from its id alone, by a checker that saw nothing of what was sent.
 */
export interface Tape {
  readonly instrument: Instrument;
  readonly seed: number;
  /** Id of trade 0. */
  readonly firstId: bigint;
  /** Time of trade 0, ms since epoch. */
  readonly startTime: number;
  /** Trades per 1,000 seconds: an integer, so that times stay exact. */
  readonly milliRate: number;
}

export interface TapeOptions {
  readonly seed: string;
  readonly exchange: SimulatedExchange;
  readonly symbol: string;
  /** Trades per second on average, 0 to 100,000, with at most three decimals. */
  readonly rate: number;
  readonly firstId?: bigint;
  readonly startTime?: number;
}

/** One trade in the units of the tape: what candles and packing compute with. */
export interface Fill {
  readonly k: number;
  readonly ticks: number;
  readonly lots: number;
  readonly buy: boolean;
  readonly time: number;
}

/** One trade as the exchange prints it. */
export interface TapeTrade {
  readonly k: number;
  readonly tradeId: string;
  readonly price: string;
  readonly size: string;
  /** The taker's. */
  readonly side: Side;
  readonly time: number;
}

export const DEFAULT_FIRST_ID = 100_000_000n;
/** Every tape starts here unless told otherwise, so a restarted simulator goes on where the clock says it would be. */
export const DEFAULT_START_TIME = Date.UTC(2020, 0, 1);

/** Trades come in blocks: how a block is cut into orders and groups is decided by the block's number alone. */
const BLOCK = 16;
/** Fixed per block, so that the number of a group is known without counting from the start. */
const GROUPS_PER_BLOCK = 8;
/** All ways to cut a block into its groups: bit i set = a group begins at i. */
const GROUP_CUTS: readonly number[] = Array.from({ length: 1 << (BLOCK - 1) }, (_, bits) => bits * 2 + 1).filter(
  (cuts) => setBits(cuts) === GROUPS_PER_BLOCK,
);

const SALT = { groups: 1, orders: 2, side: 3, size: 4, walk: 16 } as const;

/** The walk: value noise of 2^shift trades a wave, each this many millionths of the base price high. */
const WAVES = [
  { shift: 5, millionths: 40 },
  { shift: 9, millionths: 250 },
  { shift: 13, millionths: 1_200 },
  { shift: 17, millionths: 5_000 },
  { shift: 21, millionths: 15_000 },
] as const;
const WAVE_LEVELS = 4096;

/** @throws {AppError} BAD_USER_INPUT for a rate out of range, SYMBOL_UNKNOWN for a symbol that is not BASE-QUOTE. */
export function openTape(options: TapeOptions): Tape {
  const milliRate = Math.round(options.rate * 1000);
  if (!(milliRate >= 0 && milliRate <= 100_000_000))
    throw new AppError('BAD_USER_INPUT', `rate should be 0 to 100000 trades a second, was ${options.rate}`);
  return {
    instrument: instrumentOf(options.exchange, options.symbol),
    seed: seedOf(`${options.seed}/${options.exchange}/${options.symbol}`),
    firstId: options.firstId ?? DEFAULT_FIRST_ID,
    startTime: options.startTime ?? DEFAULT_START_TIME,
    milliRate,
  };
}

export const tradeIdAt = (tape: Tape, k: number): string => String(tape.firstId + BigInt(k));

export function tradeAt(tape: Tape, k: number): TapeTrade {
  const fill = fillAt(tape, k);
  return {
    k,
    tradeId: tradeIdAt(tape, k),
    price: priceText(tape.instrument, fill.ticks),
    size: sizeText(tape.instrument, fill.lots),
    side: fill.buy ? 'buy' : 'sell',
    time: fill.time,
  };
}

/** The place of a trade id; null for one the tape never gives. */
export function placeOf(tape: Tape, tradeId: string): number | null {
  if (!/^\d{1,30}$/.test(tradeId)) return null;
  const k = BigInt(tradeId) - tape.firstId;
  return k >= 0n && k <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(k) : null;
}

/** The trade with this id, recomputed; null for an id the tape never gives. */
export function tradeById(tape: Tape, tradeId: string): TapeTrade | null {
  const k = placeOf(tape, tradeId);
  return k === null ? null : tradeAt(tape, k);
}

/** A taker's order fills one or more trades in one millisecond, at one price or sweeping on to worse ones. */
export function fillAt(tape: Tape, k: number): Fill {
  const block = Math.floor(k / BLOCK);
  const i = k - block * BLOCK;
  const groups = groupCuts(tape, block);
  const orders = orderCuts(tape, block, groups);
  const orderStart = lastSet(orders, i);
  const order = block * BLOCK + orderStart;
  const level = setBits(groups & upTo(i)) - setBits(groups & upTo(orderStart));
  const buy = isBuy(tape, order);
  const ticks = entryTicks(tape, order, buy) + (buy ? level : -level);
  return { k, ticks, lots: lotsAt(tape, k), buy, time: timeOf(tape, order) };
}

/** Visits the trades `first` to `end` - 1 in order, for a fraction of the price of asking for them one by one. */
export function eachFill(tape: Tape, first: number, end: number, visit: (fill: Fill) => void): void {
  for (let block = Math.floor(first / BLOCK); block * BLOCK < end; block += 1) {
    const groups = groupCuts(tape, block);
    const orders = orderCuts(tape, block, groups);
    let [ticks, worse, buy, time] = [0, 0, false, 0];
    for (let i = 0; i < BLOCK; i += 1) {
      const k = block * BLOCK + i;
      const bit = 1 << i;
      if ((orders & bit) !== 0) {
        buy = isBuy(tape, k);
        [ticks, worse, time] = [entryTicks(tape, k, buy), buy ? 1 : -1, timeOf(tape, k)];
      } else if ((groups & bit) !== 0) ticks += worse;
      if (k >= first && k < end) visit({ k, ticks, lots: lotsAt(tape, k), buy, time });
    }
  }
}

/** Best bid, in ticks, as the trade at `k` finds it; the best ask is one tick above. A walk that stays within 2.2 % of its base. */
export function midTicks(tape: Tape, k: number): number {
  let ticks = tape.instrument.baseTicks;
  for (const [wave, { shift, millionths }] of WAVES.entries()) {
    const length = 2 ** shift;
    const node = Math.floor(k / length);
    const into = k - node * length;
    const from = hash32(tape.seed, SALT.walk + wave, node) % WAVE_LEVELS;
    const to = hash32(tape.seed, SALT.walk + wave, node + 1) % WAVE_LEVELS;
    const height = Math.max(2, Math.floor((tape.instrument.baseTicks * millionths) / 1_000_000));
    const level = from * (length - into) + to * into;
    ticks += Math.floor((height * (2 * level - WAVE_LEVELS * length)) / (WAVE_LEVELS * length));
  }
  return ticks;
}

/** How many trades have happened at `time` (ms), those of that millisecond included. Never in the middle of an order. */
export function countAt(tape: Tape, time: number): number {
  const elapsed = Math.floor(time) - tape.startTime + 1;
  if (elapsed <= 0 || tape.milliRate === 0) return 0;
  const millions = Math.floor(elapsed / 1_000_000);
  const rest = elapsed - millions * 1_000_000;
  const begun = millions * tape.milliRate + Math.ceil((rest * tape.milliRate) / 1_000_000);
  const block = Math.floor((begun - 1) / BLOCK);
  const orders = orderCuts(tape, block, groupCuts(tape, block));
  const later = orders & ~upTo(begun - 1 - block * BLOCK);
  return block * BLOCK + (later === 0 ? BLOCK : firstSet(later));
}

/** The trades of one taker order at one price: places `first` to `last`; `number` counts groups from the start of the tape. */
export interface Group {
  readonly number: number;
  readonly first: number;
  readonly last: number;
}

/** The group that trade `k` belongs to, decided from `k` alone. */
export function groupOf(tape: Tape, k: number): Group {
  const block = Math.floor(k / BLOCK);
  const i = k - block * BLOCK;
  const cuts = groupCuts(tape, block);
  const later = cuts & ~upTo(i);
  return {
    number: block * GROUPS_PER_BLOCK + setBits(cuts & upTo(i)) - 1,
    first: block * BLOCK + lastSet(cuts, i),
    last: block * BLOCK + (later === 0 ? BLOCK : firstSet(later)) - 1,
  };
}

/** The group with this number, the inverse of `groupOf`. */
export function groupAt(tape: Tape, number: number): Group {
  const block = Math.floor(number / GROUPS_PER_BLOCK);
  let cuts = groupCuts(tape, block);
  for (let skip = number - block * GROUPS_PER_BLOCK; skip > 0; skip -= 1) cuts &= cuts - 1;
  return groupOf(tape, block * BLOCK + firstSet(cuts));
}

const isBuy = (tape: Tape, order: number): boolean => (hash32(tape.seed, SALT.side, order) & 1) === 1;

/** A buyer's first fill is at the ask, a seller's at the bid. */
const entryTicks = (tape: Tape, order: number, buy: boolean): number => midTicks(tape, order) + (buy ? 1 : 0);

function timeOf(tape: Tape, k: number): number {
  const thousands = Math.floor(k / tape.milliRate);
  return (
    tape.startTime + thousands * 1_000_000 + Math.floor(((k - thousands * tape.milliRate) * 1_000_000) / tape.milliRate)
  );
}

function lotsAt(tape: Tape, k: number): number {
  const bits = hash32(tape.seed, SALT.size, k);
  const small = 1 + (bits & 0x3ff);
  const large = ((bits >>> 10) & 15) === 0 ? 1 + ((bits >>> 14) & 63) : 1;
  return small * large * tape.instrument.lotScale;
}

const groupCuts = (tape: Tape, block: number): number =>
  GROUP_CUTS[hash32(tape.seed, SALT.groups, block) % GROUP_CUTS.length] ?? 1;

/** An order begins where a group does, and at half of those. */
const orderCuts = (tape: Tape, block: number, groups: number): number =>
  (groups & hash32(tape.seed, SALT.orders, block)) | 1;

const upTo = (i: number): number => (2 << i) - 1;
const lastSet = (bits: number, i: number): number => 31 - Math.clz32(bits & upTo(i));
const firstSet = (bits: number): number => 31 - Math.clz32(bits & -bits);

function setBits(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x5555);
  const fours = (pairs & 0x3333) + ((pairs >>> 2) & 0x3333);
  return ((((fours + (fours >>> 4)) & 0x0f0f) * 0x0101) >>> 8) & 0x1f;
}
