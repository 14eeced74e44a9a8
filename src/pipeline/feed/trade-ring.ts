import type { RecordedTrade } from '../../market/recorded-trade.ts';
import type { Position } from '../../storage/trades.ts';
import { PackedEntries } from './packed-entries.ts';

/** Where a writer stands: its last sequence, and the index of its newest entry. */
interface WriterEnd {
  sequence: bigint;
  index: number;
}

const NOWHERE = -1;
/** One in so many entries, the newest, are kept as they are: those that subscribers read at once. */
const PACKED_FOR_ONE = 16;

/**
 * The newest trades in commit order, by an index that only grows. What it holds is whole: for every writer, each trade from the
 * oldest held to the newest. Its numbers may have holes, where another writer had stored the trade.
 */
export class TradeRing {
  readonly capacity: number;
  readonly #mask: number;
  /** The newest entries. */
  readonly #young: (RecordedTrade | undefined)[];
  readonly #youngMask: number;
  /** Those that are older. */
  readonly #old: PackedEntries;
  /** Of each entry, whatever its age. */
  readonly #writer: Float64Array;
  readonly #sequence: BigInt64Array;
  /** Of each entry: the index of the same writer's entry before it. */
  readonly #previous: Float64Array;
  readonly #ends: Map<number, WriterEnd>;
  /** The last sequence of each writer that is no longer here. */
  #floorPosition: Map<number, bigint>;
  #head = 0;
  #floor = 0;

  /** `start`: every writer's last sequence before the first append. `capacity`: a power of two. */
  constructor(capacity: number, start: Position) {
    if (!Number.isInteger(Math.log2(capacity))) throw new RangeError(`Ring capacity ${capacity} is not a power of two`);
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#young = new Array(Math.max(1, capacity / PACKED_FOR_ONE));
    this.#youngMask = this.#young.length - 1;
    this.#old = new PackedEntries(capacity);
    this.#writer = new Float64Array(capacity);
    this.#sequence = new BigInt64Array(capacity);
    this.#previous = new Float64Array(capacity);
    this.#ends = new Map([...start].map(([writer, sequence]) => [writer, { sequence, index: NOWHERE }]));
    this.#floorPosition = new Map(start);
  }

  /** Index of the next append. */
  get head(): number {
    return this.#head;
  }

  /** Index of the oldest entry. */
  get floor(): number {
    return this.#floor;
  }

  /** The last sequence of every writer; a copy. */
  get position(): Map<number, bigint> {
    const position = new Map<number, bigint>();
    for (const [writer, { sequence }] of this.#ends) position.set(writer, sequence);
    return position;
  }

  /** Whether every trade up to a position was appended: nobody who stands there has read further. */
  holdsAll(position: Position): boolean {
    for (const [writer, sequence] of position) if (sequence > (this.#ends.get(writer)?.sequence ?? 0n)) return false;
    return true;
  }

  /** The entry at an index from floor to head. */
  at(index: number): RecordedTrade {
    if (this.#head - index <= this.#young.length) return this.#young[index & this.#youngMask] as RecordedTrade;
    const place = index & this.#mask;
    const [writer, sequence] = [this.#writer[place] as number, this.#sequence[place] as bigint];
    return this.#old.get(place, { writer, sequence });
  }

  /**
   * Takes the next trade of its writer. One that is here or was here already changes nothing. Numbers left out before it are
   * empty up to `through`; where more are left out nothing older than this trade is here.
   */
  append(recorded: RecordedTrade, through: Position | null = null): void {
    const { writer, sequence } = recorded;
    const end = this.#end(writer);
    if (sequence <= end.sequence) return;
    if (sequence > end.sequence + 1n && sequence - 1n > (through?.get(writer) ?? 0n)) this.#cut(end, sequence - 1n);
    if (this.#head - this.#floor === this.capacity) {
      const evicted = this.#floor & this.#mask;
      this.#floorPosition.set(this.#writer[evicted] as number, this.#sequence[evicted] as bigint);
      this.#floor += 1;
    }
    const place = this.#head & this.#mask;
    const youngPlace = this.#head & this.#youngMask;
    const grownOld = this.#young[youngPlace];
    if (grownOld !== undefined) this.#old.put((this.#head - this.#young.length) & this.#mask, grownOld);
    this.#young[youngPlace] = recorded;
    this.#writer[place] = writer;
    this.#sequence[place] = sequence;
    this.#previous[place] = end.index;
    end.index = this.#head;
    end.sequence = sequence;
    this.#head += 1;
  }

  /** Up to here there is no trade that was not appended. */
  passOver(through: Position): void {
    for (const [writer, sequence] of through) {
      const end = this.#end(writer);
      if (sequence > end.sequence) end.sequence = sequence;
    }
  }

  /** Where a reader at `position` goes on; null when something it has not read is no longer here. */
  indexAfter(position: Position): number | null {
    for (const [writer, gone] of this.#floorPosition) if ((position.get(writer) ?? 0n) < gone) return null;
    let first = this.#head;
    for (const [writer, end] of this.#ends) {
      const read = position.get(writer) ?? 0n;
      if (read >= end.sequence) continue;
      for (let index = end.index; index >= this.#floor && (this.#sequence[index & this.#mask] as bigint) > read; ) {
        if (index < first) first = index;
        index = this.#previous[index & this.#mask] ?? NOWHERE;
      }
    }
    return first;
  }

  #end(writer: number): WriterEnd {
    const known = this.#ends.get(writer);
    if (known) return known;
    const end = { sequence: 0n, index: NOWHERE };
    this.#ends.set(writer, end);
    return end;
  }

  /** Another server wrote between: readers fetch what lies there from storage. */
  #cut(end: WriterEnd, upTo: bigint): void {
    end.sequence = upTo;
    this.#floorPosition = this.position;
    this.#head += 1; // an index nobody has read yet, so that every reader finds itself before the floor
    this.#floor = this.#head;
    this.#young.fill(undefined);
    this.#old.clear();
  }
}
