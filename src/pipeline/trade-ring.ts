import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { Position } from '../storage/trades.ts';

/** Where a writer stands: its last sequence, and the index of its newest entry. */
interface WriterEnd {
  sequence: bigint;
  index: number;
}

const NOWHERE = -1;

/**
 * The newest trades in commit order, by an index that only grows. What it holds is whole: for every writer, each trade from the
 * oldest held to the newest. Its numbers may have holes, where another writer had stored the trade.
 */
export class TradeRing {
  readonly capacity: number;
  readonly #mask: number;
  readonly #entries: (RecordedTrade | undefined)[];
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
    this.#entries = new Array(capacity);
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
    return this.#entries[index & this.#mask] as RecordedTrade;
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
      const evicted = this.at(this.#floor);
      this.#floorPosition.set(evicted.writer, evicted.sequence);
      this.#floor += 1;
    }
    const place = this.#head & this.#mask;
    this.#entries[place] = recorded;
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
      for (let index = end.index; index >= this.#floor && this.at(index).sequence > read; ) {
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
    this.#entries.fill(undefined);
  }
}
