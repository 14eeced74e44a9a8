import type { CoverageStatus, Stretch } from '../../src/market/coverage.ts';
import type { MadeMarket, MadeTrade } from './made-market.ts';

/** Ids of one trade, or of a hole, and what is known of them: null for nothing. */
export interface Unit {
  readonly first: bigint;
  readonly last: bigint;
  /** Null of a hole, and of a trade that did not come yet. */
  readonly made: MadeTrade | null;
  readonly status: CoverageStatus | null;
  readonly gap: { readonly first: bigint; readonly foundAt: number } | null;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What is known of every id once the first `count` batches are there. A hole is noticed when something behind it has come. */
export function unitsAfter({ trades, holes, batches }: MadeMarket, count: number): readonly Unit[] {
  const none = { made: null, status: null, gap: null };
  const slots = [
    ...trades.map((made) => ({
      unit: { ...none, first: made.firstId, last: made.id } as Mutable<Unit>,
      made,
      hole: null,
    })),
    ...holes.map((hole) => ({
      unit: { ...none, first: hole.first, last: hole.last } as Mutable<Unit>,
      made: null,
      hole,
    })),
  ].sort((a, b) => (a.unit.first < b.unit.first ? -1 : 1));
  for (const [batch, foundAt] of batches.slice(0, count).entries()) {
    const before = slots.findLastIndex(({ unit }) => unit.made !== null);
    for (const [k, { unit, made }] of slots.entries()) {
      if (made?.batch !== batch) continue;
      unit.made = made;
      if (unit.status === 'GAP') unit.status = 'BACKFILLED';
      else if (k < before) {
        const left = slots[k - 1]?.unit;
        const goesOn = left?.status === 'BACKFILLED' && left.gap?.foundAt === foundAt;
        [unit.status, unit.gap] = ['BACKFILLED', goesOn ? (left?.gap ?? null) : { first: unit.first, foundAt }];
      } else unit.status = made.isUnproven ? 'UNPROVEN' : 'PROVEN';
    }
    const [low, high] = [slots.findIndex(({ unit }) => unit.made), slots.findLastIndex(({ unit }) => unit.made)];
    let gap: Unit['gap'] = null;
    for (const { unit, hole } of slots.slice(Math.max(0, low), high + 1)) {
      const status = hole ? hole.status : 'GAP';
      if (unit.status !== null || status === null) gap = null;
      else {
        gap ??= { first: unit.first, foundAt };
        [unit.status, unit.gap] = [status, gap];
      }
    }
  }
  return slots.map(({ unit }) => unit);
}

/** The same as the ledger's rows. */
export function ledgerOf(units: readonly Unit[]): readonly Stretch[] {
  const runs: Unit[][] = [];
  for (const unit of units) {
    const [run, before] = [runs.at(-1), runs.at(-1)?.at(-1)];
    const goesOn = before?.status === unit.status && before.gap === unit.gap && before.last + 1n === unit.first;
    if (run && goesOn) run.push(unit);
    else runs.push([unit]);
  }
  return runs.flatMap((run): Stretch[] => {
    const [begin, end] = [run[0] as Unit, run.at(-1) as Unit];
    const { status, gap } = begin;
    if (status === null) return [];
    const isMissing = status === 'GAP' || status === 'UNFILLABLE';
    const left = isMissing ? units.findLast(({ made, last }) => made && last < begin.first)?.made : begin.made;
    const right = isMissing ? units.find(({ made, first }) => made && first > end.last)?.made : end.made;
    return [
      {
        ...{ status, first: begin.first, last: end.last, gap: gap?.first ?? null, gapFoundAt: gap?.foundAt ?? null },
        evidence: status === 'UNPROVEN' ? 'CONNECTION_ONLY' : 'TRADE_ID_CONTIGUITY',
        from: left?.trade.exchangeTime ?? 0,
        to: right?.trade.exchangeTime ?? 0,
        actual: run.reduce((sum, { made }) => sum + (made?.trade.fillCount ?? 0), 0),
        cause: status === 'UNFILLABLE' ? 'the exchange does not give it' : null,
      },
    ];
  });
}

/** What is known of one millisecond: COVERED, MISSING or neither. Of a market whose times ascend with its ids. */
export function saidOf(units: readonly Unit[], time: number): 'COVERED' | 'MISSING' | null {
  let isUnasked = false;
  let left: Unit | null = null;
  let between: (CoverageStatus | null)[] = [];
  let said: 'COVERED' | null = null;
  for (const unit of units) {
    if (unit.made === null) {
      between.push(unit.status);
      continue;
    }
    const [begin, end] = [left?.made?.trade.exchangeTime, unit.made.trade.exchangeTime];
    if (left !== null && begin !== undefined) {
      if (between.length > 0 && begin <= time && time <= end) {
        if (between.includes('GAP') || between.includes('UNFILLABLE')) return 'MISSING';
        isUnasked = true;
      }
      if (between.length === 0 && begin <= time && time < end) {
        const quiet = unit.status === 'PROVEN' ? unit.status : left.status;
        said = quiet === 'PROVEN' || quiet === 'BACKFILLED' ? 'COVERED' : null;
        if (left.status === 'PROVEN') said = 'COVERED';
      }
    }
    left = unit;
    between = [];
  }
  return isUnasked ? null : said;
}
