import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { Position } from '../storage/trades.ts';

/**
 * The newest trades in commit order, by an index that only grows. What it holds is dense: for every writer, all of its
 * sequences from the oldest held to the newest.
 */
export class TradeRing {
  readonly capacity: number;
  readonly #mask: number;
  readonly #entries: (RecordedTrade | undefined)[];
  readonly #headPosition: Map<number, bigint>;
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
    this.#headPosition = new Map(start);
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

  get position(): Position {
    return this.#headPosition;
  }

  /** The entry at an index from floor to head. */
  at(index: number): RecordedTrade {
    return this.#entries[index & this.#mask] as RecordedTrade;
  }

  /** Takes the next trade of its writer. One that is here or was here already changes nothing; after one that leaves a hole, nothing older is here. */
  append(recorded: RecordedTrade): void {
    const { writer, sequence } = recorded;
    const last = this.#headPosition.get(writer) ?? 0n;
    if (sequence <= last) return;
    if (sequence > last + 1n) this.#cut(writer, sequence - 1n);
    if (this.#head - this.#floor === this.capacity) {
      const evicted = this.at(this.#floor);
      this.#floorPosition.set(evicted.writer, evicted.sequence);
      this.#floor += 1;
    }
    this.#entries[this.#head & this.#mask] = recorded;
    this.#head += 1;
    this.#headPosition.set(writer, sequence);
  }

  /** Where a reader at `position` goes on; null when something it has not read is no longer here. */
  indexAfter(position: Position): number | null {
    for (const [writer, gone] of this.#floorPosition) if ((position.get(writer) ?? 0n) < gone) return null;
    let unread = 0n;
    for (const [writer, last] of this.#headPosition) {
      const read = position.get(writer) ?? 0n;
      if (read < last) unread += last - read;
    }
    let index = this.#head;
    while (unread > 0n) {
      index -= 1;
      const { writer, sequence } = this.at(index);
      if (sequence > (position.get(writer) ?? 0n)) unread -= 1n;
    }
    return index;
  }

  /** Another server wrote between: readers fetch what lies there from storage. */
  #cut(writer: number, upTo: bigint): void {
    this.#headPosition.set(writer, upTo);
    this.#floorPosition = new Map(this.#headPosition);
    this.#head += 1; // an index nobody has read yet, so that every reader finds itself before the floor
    this.#floor = this.#head;
    this.#entries.fill(undefined);
  }
}
