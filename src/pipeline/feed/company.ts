import type { TradeReader } from './trade-reader.ts';
import type { TradeBatch } from './trade-request.ts';
import type { TradeSubscriber } from './trade-subscriber.ts';

/** Members given a batch between two looks at the clock. */
const MEMBERS_A_PIECE = 32;

/**
 * Subscribers that ask for the same and have seen the same: one reader reads for all, and each is given the very batch it made, so
 * that those who make something of it need to do so once. Whoever does not take a batch when it is there goes on by himself.
 */
export class Company {
  /** Of those that ask for the same, also those by themselves. */
  subscribers = 0;
  readonly name: string;
  readonly #members = new Set<TradeSubscriber>();
  #reader: TradeReader | null = null;
  readonly #wake: () => void;

  constructor(name: string, wake: () => void) {
    this.name = name;
    this.#wake = wake;
  }

  /** Up to where those by themselves read, to meet it there. */
  get place(): number {
    return this.#reader?.place ?? Number.POSITIVE_INFINITY;
  }

  get reader(): TradeReader | null {
    return this.#reader;
  }

  get members(): ReadonlySet<TradeSubscriber> {
    return this.#members;
  }

  /** Takes in a subscriber whose reader stands where all others do; the reader has done its work then. */
  join(member: TradeSubscriber, reader: TradeReader): boolean {
    if (this.#reader === null) {
      if (!reader.isIdle) return false;
      reader.host = this;
      this.#reader = reader;
    } else {
      if (!reader.isBeside(this.#reader)) return false;
      reader.close();
    }
    this.#members.add(member);
    return true;
  }

  leave(member: TradeSubscriber): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#reader?.close();
    this.#reader = null;
  }

  /** As host of the reader. */
  wake(): void {
    this.#wake();
  }

  fail(error: unknown): void {
    for (const member of [...this.#members]) member.stream.fail(error);
  }

  /** Gives the next batch to all, a few at a time. */
  *round(): Generator<undefined, void, undefined> {
    const reader = this.#reader;
    if (reader === null) return;
    const { place } = reader;
    const batch = reader.pull();
    if (batch === null) return;
    const members = [...this.#members]; // who comes on the way has seen it
    for (let k = 0; k < members.length; k += 1) {
      const member = members[k];
      if (member && !member.stream.offer(batch) && this.#members.has(member)) this.#letGo(member, reader, batch, place);
      if (k % MEMBERS_A_PIECE === MEMBERS_A_PIECE - 1) yield;
    }
    if (this.#reader === reader && !reader.isIdle) setImmediate(this.#wake);
  }

  #letGo(member: TradeSubscriber, reader: TradeReader, batch: TradeBatch, place: number | null): void {
    member.readAlone(reader.again(batch, place, member));
    this.leave(member);
  }
}
