import { PullStream } from '../stream/pull-stream.ts';
import type { Company } from './company.ts';
import type { ReaderHost, TradeReader } from './trade-reader.ts';
import type { TradeBatch } from './trade-request.ts';

/** Who keeps the subscribers of a feed. */
export interface SubscriberHome {
  /** Those that have a reader of their own. */
  readonly alone: Set<TradeSubscriber>;
  left(subscriber: TradeSubscriber): void;
}

/** One subscriber: it has a reader of its own, or one together with all that stand at the same place. */
export class TradeSubscriber implements ReaderHost {
  readonly stream: PullStream<TradeBatch> = new PullStream(this);
  /** With whom it may read; null: with nobody. */
  readonly company: Company | null;
  readonly #home: SubscriberHome;
  #reader: TradeReader | null = null;

  constructor(company: Company | null, home: SubscriberHome) {
    this.company = company;
    this.#home = home;
  }

  /** Its own; null while it reads together with others. */
  get reader(): TradeReader | null {
    return this.#reader;
  }

  readAlone(reader: TradeReader): void {
    this.#reader = reader;
    this.#home.alone.add(this);
  }

  wake(): void {
    this.stream.wake();
  }

  fail(error: unknown): void {
    this.stream.fail(error);
  }

  /** As source of the stream. In company there is nothing to ask: what comes is given. */
  pull(): TradeBatch | null {
    const reader = this.#reader;
    if (reader === null) return null;
    const batch = reader.pull(this.company?.place);
    if (batch === null && this.company?.join(this, reader)) {
      this.#reader = null;
      this.#home.alone.delete(this);
    }
    return batch;
  }

  close(): void {
    this.#home.alone.delete(this);
    this.#reader?.close();
    this.company?.leave(this);
    this.#home.left(this);
  }
}
