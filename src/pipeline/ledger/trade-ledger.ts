import type { CoverageEvidence, CoverageStatus, IdRange, Stretch } from '../../market/coverage.ts';
import { sizeOf } from '../../market/coverage.ts';
import type { Provenance } from '../../market/recorded-trade.ts';
import { StretchRows } from './stretch-rows.ts';

/** When a trade was made and how it came. */
export interface Arrival {
  /** Exchange time, ms. */
  readonly time: number;
  readonly provenance: Provenance;
  /** Our clock, ms: when a gap found by it was found. */
  readonly now: number;
}

/** What changed, by the first id of a stretch; null: there is none any more that begins there. */
export type LedgerChanges = ReadonlyMap<bigint, Stretch | null>;

const EVIDENCE = {
  PROVEN: 'TRADE_ID_CONTIGUITY',
  UNPROVEN: 'CONNECTION_ONLY',
  GAP: 'TRADE_ID_CONTIGUITY',
  BACKFILLED: 'REST_RECONCILED',
  UNFILLABLE: 'REST_RECONCILED',
} as const satisfies Record<CoverageStatus, CoverageEvidence>;

/** A frame this much older than what the stream began with is none of it, ms. */
const LATE_MS = 600_000;

/** Ids up to here, and the next after each, are exact as numbers; a packed trade stands for far fewer than what is left. */
const LARGEST = 2n ** 52n;

/** The newest stretch, which what was added since has not been written into. */
interface Growing {
  readonly head: Row;
  next: number;
  isChanged: boolean;
}

type Row = { -readonly [Field in keyof Stretch]: Stretch[Field] };

/**
 * What is known of the trades of one market whose ids have no holes. A step from one known id to a later one is a gap from that
 * moment on; what falls into a gap closes that much of it. Pure but for itself: no clock, no chance, no waiting, so that folding
 * the same trades again gives the same ledger.
 */
export class TradeLedger {
  /** Ascending and apart; only ids of which nothing was ever said may be missing between two of them. */
  readonly #rows: StretchRows;
  readonly #changed = new Set<bigint>();
  /** The newest stretch while it may simply grow, and the id that comes next in it; null: not looked at since other things changed. */
  #growing: Growing | null = null;

  constructor(stretches: readonly Stretch[] = []) {
    this.#rows = new StretchRows(stretches);
  }

  /** All of them; copies. */
  get stretches(): readonly Stretch[] {
    this.#writeBack();
    return [...this.#rows.from(0)];
  }

  get newest(): Stretch | undefined {
    this.#writeBack();
    return this.#rows.newest;
  }

  /** First and last id anything is known of; null when nothing is. */
  get known(): IdRange | null {
    const [first, last] = [this.#rows.at(0), this.newest];
    return first && last ? { first: first.first, last: last.last } : null;
  }

  /** Stretches to be filled, ascending. */
  get open(): readonly Stretch[] {
    return this.#rows.of('GAP');
  }

  /** The ids of a range that are not here, as ascending runs. */
  missing(range: IdRange): readonly IdRange[] {
    const head = this.newest;
    return head === undefined || range.first > head.last ? [range] : this.#without(range, isHere);
  }

  /** Whether an id is the one the stream goes on with. False says nothing where ids are beyond 2^53. */
  isNext(id: number): boolean {
    return (this.#growing ?? this.#grow())?.next === id;
  }

  /** As `add`, for the ids the stream goes on with, at a fraction of its cost: nearly every trade. False: they are not, and nothing was done. */
  extend(first: number, last: number, time: number): boolean {
    const growing = this.#growing ?? this.#grow();
    if (growing?.next !== first) return false;
    const { head } = growing;
    growing.next = last + 1;
    growing.isChanged = true;
    head.last = BigInt(last);
    if (time > head.to) head.to = time;
    if (time < head.from) head.from = time;
    head.actual += growing.next - first;
    return true;
  }

  /** These ids are here now. Those that were already change nothing. */
  add(range: IdRange, arrival: Arrival): void {
    this.#settle();
    const head = this.#rows.newest;
    if (head !== undefined && range.first === head.last + 1n && head.status === 'PROVEN') {
      this.#put(this.#rows.length - 1, {
        ...{ ...head, last: range.last, actual: head.actual + Number(sizeOf(range)) },
        ...{ from: Math.min(head.from, arrival.time), to: Math.max(head.to, arrival.time) },
      });
      return;
    }
    if (head === undefined || range.first > head.last) return this.#append(range, arrival, head);
    for (const run of this.missing(range)) this.#fill(run, arrival);
  }

  /** These ids never come, for the reason given. What of them is here stays. */
  giveUp(range: IdRange, cause: string, arrival: Omit<Arrival, 'provenance'>): void {
    this.#settle();
    for (const run of this.missing(range)) this.#markMissing(run, 'UNFILLABLE', cause, arrival);
  }

  /** As `giveUp`, also for ids that were taken for stored and turned out not to be. */
  retract(range: IdRange, cause: string, arrival: Omit<Arrival, 'provenance'>): void {
    this.#settle();
    this.#markMissing(range, 'UNFILLABLE', cause, arrival);
  }

  /** Ids that are neither here nor waited for become a gap; those that were given up are asked for again under the name they had. */
  declare(
    range: IdRange,
    about: { readonly from: number; readonly to: number; readonly cause: string },
    now: number,
  ): void {
    this.#settle();
    for (const run of this.askable(range))
      this.#cutOut(run, (part, row) =>
        this.#insert({
          ...missingAs('GAP'),
          ...part,
          ...{ from: row?.from ?? about.from, to: row?.to ?? about.to, actual: 0, cause: about.cause },
          ...{ gap: row?.gap ?? part.first, gapFoundAt: row?.gapFoundAt ?? now },
        }),
      );
  }

  /** The ids of a range that are not here and not a gap either: nothing was ever said of them, or they were given up. */
  askable(range: IdRange): readonly IdRange[] {
    this.#writeBack();
    return this.#without(range, ({ status }) => status !== 'UNFILLABLE');
  }

  /** All parts of the gap that was found at this id, ascending. */
  partsOf(gap: bigint): readonly Stretch[] {
    this.#writeBack();
    return this.#rows
      .from(this.#rows.indexFrom(gap))
      .filter((row) => row.gap === gap)
      .toArray();
  }

  /** What changed since the last call. */
  takeChanges(): LedgerChanges {
    this.#settle();
    const changes = new Map<bigint, Stretch | null>();
    for (const first of this.#changed) {
      const row = this.#rows.at(this.#rows.indexFrom(first));
      changes.set(first, row?.first === first ? row : null);
    }
    this.#changed.clear();
    return changes;
  }

  #grow(): Growing | null {
    const head = this.#rows.newest;
    if (head?.status === 'PROVEN' && head.last < LARGEST)
      this.#growing = { head: { ...head }, next: Number(head.last) + 1, isChanged: false };
    return this.#growing;
  }

  /** Before anything but `extend` changes the stretches. */
  #settle(): void {
    this.#writeBack();
    this.#growing = null;
  }

  /** Before the stretches are read. */
  #writeBack(): void {
    if (!this.#growing?.isChanged) return;
    this.#put(this.#rows.length - 1, { ...this.#growing.head });
    this.#growing.isChanged = false;
  }

  /** What of a range lies in no stretch of the kind, as ascending runs. */
  #without(range: IdRange, kind: (row: Stretch) => boolean): readonly IdRange[] {
    const runs: IdRange[] = [];
    let next = range.first;
    for (const row of this.#rows.from(this.#rows.indexFrom(range.first))) {
      if (row.first > range.last) break;
      if (!kind(row)) continue;
      if (row.first > next) runs.push({ first: next, last: row.first - 1n });
      next = row.last + 1n;
    }
    if (next <= range.last) runs.push({ first: next, last: range.last });
    return runs;
  }

  #append(range: IdRange, arrival: Arrival, head: Stretch | undefined): void {
    if (head !== undefined) this.#reach(head, { first: range.first, from: arrival.time }, arrival.now);
    this.#replace(this.#rows.length, 0, [here(range, 'PROVEN', arrival.time, null)]);
  }

  /** The stream went from one stretch to a later one: of what lies between and nothing was said of, all is missing. */
  #reach(before: Pick<Stretch, 'last' | 'to'>, after: Pick<Stretch, 'first' | 'from'>, now: number): void {
    const [first, last] = [before.last + 1n, after.first - 1n];
    if (last < first) return;
    this.#insert({
      ...missingAs('GAP'),
      ...{ first, last, from: before.to, to: Math.max(before.to, after.from), actual: 0, gap: first, gapFoundAt: now },
      cause: 'the exchange made trades that did not arrive',
    });
  }

  /** Ids that are not here, at most up to the last known one; they may lie in several stretches and in what was never declared. */
  #fill(run: IdRange, arrival: Arrival): void {
    const live = arrival.provenance === 'LIVE';
    this.#cutOut(run, (part, row) => {
      if (!live)
        return this.#insert(
          here(part, 'BACKFILLED', arrival.time, row ? { gap: row.gap, gapFoundAt: row.gapFoundAt } : null),
        );
      this.#insert(here(part, 'PROVEN', arrival.time, null));
      if (row !== null) return;
      // A late frame: the stream began before what was its first trade so far. From further back it says nothing of the stream.
      const next = this.#rows.at(this.#rows.indexFrom(part.last + 1n));
      if (next !== undefined && next.from - arrival.time <= LATE_MS)
        this.#reach({ last: part.last, to: arrival.time }, next, arrival.now);
    });
  }

  #markMissing(run: IdRange, status: 'UNFILLABLE', cause: string, { time, now }: Omit<Arrival, 'provenance'>): void {
    const head = this.#rows.newest;
    if (head !== undefined) this.#reach(head, { first: run.first, from: time }, now);
    this.#cutOut(run, (part, row) =>
      this.#insert({
        ...missingAs(status),
        ...part,
        ...{ from: row?.from ?? time, to: row?.to ?? time, actual: 0, cause },
        ...{ gap: row?.gap ?? part.first, gapFoundAt: row?.gapFoundAt ?? now },
      }),
    );
  }

  /** Removes a run of ids from the stretches and says piece by piece from which (null: none) it was taken. */
  #cutOut(run: IdRange, taken: (part: IdRange, from: Stretch | null) => void): void {
    const pieces: { readonly part: IdRange; readonly row: Stretch | null }[] = [];
    let next = run.first;
    let at = this.#rows.indexFrom(run.first);
    while (next <= run.last) {
      const row = this.#rows.at(at);
      if (row === undefined || row.first > run.last) break;
      if (row.first > next) pieces.push({ part: { first: next, last: row.first - 1n }, row: null });
      const part = { first: max(row.first, next), last: min(row.last, run.last) };
      pieces.push({ part, row });
      const rest = [
        { first: row.first, last: part.first - 1n },
        { first: part.last + 1n, last: row.last },
      ].filter(({ first, last }) => first <= last);
      this.#changed.add(row.first);
      this.#replace(
        at,
        1,
        rest.map((range) => remainder(row, range)),
      );
      at += rest.length;
      next = part.last + 1n;
    }
    if (next <= run.last) pieces.push({ part: { first: next, last: run.last }, row: null });
    for (const { part, row } of pieces.reverse()) taken(part, row); // so that what follows a piece is in its place again
  }

  /** Puts a stretch into its place and joins it with neighbours that say the same. */
  #insert(stretch: Stretch): void {
    const at = this.#rows.indexFrom(stretch.first);
    this.#replace(at, 0, [stretch]);
    this.#bound(at);
    this.#join(at);
    if (at > 0) this.#join(at - 1);
  }

  /** A missing stretch lies between its neighbours in time. */
  #bound(at: number): void {
    const [before, row, after] = [this.#rows.at(at - 1), this.#rows.at(at), this.#rows.at(at + 1)];
    if (!row || !isHere(row)) return;
    if (before && before.last + 1n === row.first && !isHere(before) && before.to > row.from)
      this.#put(at - 1, { ...before, to: Math.max(before.from, row.from) });
    if (after && row.last + 1n === after.first && !isHere(after) && after.from < row.to)
      this.#put(at + 1, { ...after, from: Math.min(after.to, row.to) });
  }

  /** Joins the stretch with the next one where both say the same. */
  #join(at: number): void {
    const [row, next] = [this.#rows.at(at), this.#rows.at(at + 1)];
    if (!row || !next || row.last + 1n !== next.first || !saySame(row, next)) return;
    this.#changed.add(next.first);
    this.#replace(at, 2, [
      {
        ...{ ...row, last: next.last, actual: row.actual + next.actual },
        ...{ from: Math.min(row.from, next.from), to: Math.max(row.to, next.to) },
      },
    ]);
  }

  /** Another stretch that begins where the one in its place does. */
  #put(at: number, row: Stretch): void {
    this.#rows.set(at, row);
    this.#changed.add(row.first);
  }

  /** Of what is taken away, whoever calls it says that it is gone. */
  #replace(at: number, count: number, rows: readonly Stretch[]): void {
    this.#rows.splice(at, count, rows);
    for (const { first } of rows) this.#changed.add(first);
  }
}

/** Whether what a stretch stands for is stored. */
export const isHere = ({ status }: Pick<Stretch, 'status'>): boolean => status !== 'GAP' && status !== 'UNFILLABLE';

const missingAs = (status: 'GAP' | 'UNFILLABLE') => ({ status, evidence: EVIDENCE[status] });

const here = (
  range: IdRange,
  status: 'PROVEN' | 'BACKFILLED',
  time: number,
  gap: Pick<Stretch, 'gap' | 'gapFoundAt'> | null,
): Stretch => ({
  ...{ first: range.first, last: range.last, status, evidence: EVIDENCE[status] },
  ...{ from: time, to: time, actual: Number(sizeOf(range)), cause: null },
  ...{ gap: gap?.gap ?? null, gapFoundAt: gap?.gapFoundAt ?? null },
});

const remainder = (row: Stretch, range: IdRange): Stretch => ({
  ...row,
  ...range,
  actual: isHere(row) ? Number(sizeOf(range)) : 0,
});

const saySame = (a: Stretch, b: Stretch): boolean =>
  a.status === b.status && a.gap === b.gap && a.cause === b.cause && a.evidence === b.evidence;

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
