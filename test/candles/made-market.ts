import { CANDLE_INTERVALS, longestOf, type Windows } from '../../src/market/candle-window.ts';
import type { Decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Chance } from './chance.ts';
import { edgesByHand } from './windows-by-hand.ts';

/** A trade, and the batch that brings it. */
export interface MadeTrade {
  readonly trade: Trade;
  /** Its fills are the ids from here to its own. */
  readonly firstId: bigint;
  readonly id: bigint;
  readonly batch: number;
  /** Nothing says whether more was made beside it. */
  readonly isUnproven: boolean;
}

/** Ids between two trades that never come, and what is said of them; null: nothing. */
export interface Hole {
  readonly first: bigint;
  readonly last: bigint;
  readonly status: 'GAP' | 'UNFILLABLE' | null;
}

export interface MadeMarket {
  readonly symbol: string;
  /** In the order of their ids. */
  readonly trades: readonly MadeTrade[];
  readonly holes: readonly Hole[];
  /** When each batch is recorded, ms, ascending. */
  readonly batches: readonly number[];
  /** Whether times ascend with ids, so that the ledger can be told by hand. */
  readonly isInOrder: boolean;
  /** Ways to cut time whose edges the trades are at. */
  readonly cuts: readonly Windows[];
  readonly from: number;
  readonly to: number;
}

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
/** Clocks that change, at night and at midnight, by an hour and by half of one; half hours; ends of months, years and Februaries. */
const ZONES = [
  ...['UTC', 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'],
  ...['America/Havana', 'America/St_Johns'],
];
const MOMENTS = [
  ...[Date.UTC(2026, 2, 8, 6, 30), Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1), Date.UTC(2026, 10, 1, 5)],
  ...[Date.UTC(2024, 1, 29, 12), Date.UTC(2024, 1, 29, 23, 59), Date.UTC(2026, 0, 1), Date.UTC(2026, 3, 4, 15)],
];
const SPANS = [2 * SECOND, 40 * SECOND, 5 * MINUTE, 2 * HOUR, 2 * DAY, 40 * DAY];
const FIRST_IDS = [1n, 95n, 9_990n, 9_007_199_254_740_985n, 99_999_999_999_999_999_990n];
const PRICES = ['100', '100.1', '100.10', '99.95', '0.10000000', '101', '7.25', '100.00', '12345678901234.000000001'];
const SIZES = ['1', '0.5', '0.50', '0.00000001', '3', '250', '0.125', '0'];
const GRACE = 2_000;

export function randomCut(chance: Chance, near: number): Windows {
  const interval = chance.pick(CANDLE_INTERVALS);
  const anchor = chance.hits(0.3) ? near + chance.between(-40 * DAY, 40 * DAY) : null;
  const isRound = chance.hits(0.5);
  return {
    interval,
    timeZone: chance.pick(ZONES),
    anchor: anchor !== null && isRound ? Math.round(anchor / MINUTE) * MINUTE : anchor,
  };
}

/** Up to 60 trades around a moment, at the edges of candles and in one millisecond, that come late, packed and out of order. */
export function makeMarket(chance: Chance, symbol: string): MadeMarket {
  const middle = chance.pick(MOMENTS);
  const span = chance.pick(SPANS);
  const [from, to] = [middle - Math.floor(span / 2), middle + Math.floor(span / 2)];
  const cuts = Array.from({ length: 4 }, () => randomCut(chance, middle));
  const edges = cuts.flatMap((cut) => {
    const all = longestOf(cut.interval) * 400 < span ? [] : edgesByHand(cut, from, to);
    return all.filter((edge) => edge >= from && edge <= to);
  });
  const isInOrder = chance.hits(0.85);
  const anyTime = () =>
    edges.length > 0 && chance.hits(0.5) ? chance.pick(edges) + chance.between(-1, 1) : chance.between(from, to);
  const times: number[] = [];
  for (let k = chance.below(61); k > 0; k -= 1)
    times.push(times.length > 0 && chance.hits(0.25) ? (times.at(-1) ?? from) : anyTime());
  if (isInOrder) times.sort((a, b) => a - b);
  const batches = Array.from({ length: chance.between(1, 8) }, () => {
    if (edges.length > 0 && chance.hits(0.5))
      return chance.pick(edges) + (chance.hits(0.6) ? GRACE : 0) + chance.between(-1, 1);
    return chance.between(from, to + Math.floor(span / 2) + 2 * GRACE);
  }).sort((a, b) => a - b);
  // No exchange's clock is an hour ahead of ours.
  batches.push(Math.max(batches.pop() ?? to, Math.max(from, ...times) - HOUR + MINUTE));
  return { symbol, cuts, from, to, batches, isInOrder, ...madeOf(chance, symbol, times, batches) };
}

function madeOf(chance: Chance, symbol: string, times: readonly number[], batches: readonly number[]) {
  const lateShare = chance.pick([0, 0.1, 0.5, 1]);
  const holeShare = chance.pick([0, 0.05, 0.2]);
  const unprovenFrom = chance.hits(0.3) ? chance.below(60) : 60;
  const holes: Hole[] = [];
  let next = chance.pick(FIRST_IDS);
  const trades = times.map((exchangeTime, k): MadeTrade => {
    if (k > 0 && chance.hits(holeShare)) {
      const last = next + BigInt(chance.below(4));
      holes.push({ first: next, last, status: chance.pick(['GAP', 'UNFILLABLE', null]) });
      next = last + 1n;
    }
    const fillCount = chance.hits(0.2) ? chance.between(2, 12) : 1;
    const [firstId, id] = [next, next + BigInt(fillCount - 1)];
    next = id + 1n;
    const inTime = batches.findIndex((recordedAt) => recordedAt >= exchangeTime);
    const batch = inTime < 0 ? batches.length - 1 : inTime;
    return {
      trade: {
        ...{ kind: 'trade', exchange: 'okx', symbol, exchangeTime, receivedAt: exchangeTime, raw: null },
        ...{ tradeId: String(id), fillCount, side: chance.pick(['buy', 'sell']) },
        ...{ price: chance.pick(PRICES) as Decimal, size: chance.pick(SIZES) as Decimal },
      },
      ...{ firstId, id, isUnproven: k >= unprovenFrom && k < unprovenFrom + 6 },
      batch: chance.hits(lateShare) ? chance.between(batch, batches.length - 1) : batch,
    };
  });
  return { trades, holes };
}
