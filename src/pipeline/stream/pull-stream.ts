import type { Failure, Receiver, Stream } from './stream.ts';

/** Where a stream's values come from. */
export interface PullSource<T> {
  /** The next value, or null when there is none yet; the source then calls `wake()` when that may have changed. */
  pull(): T | null;
  /** Called once, when the stream ends for whatever reason. */
  close(): void;
}

const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** An async iterator over a source that is asked, never fed. Not an async generator: those cannot be left while they wait. */
export class PullStream<T> implements Stream<T> {
  readonly #source: PullSource<T>;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | null = null;
  #receiver: Receiver<T> | null = null;
  /** The receiver has not done with the last value. */
  #isBusy = false;
  #open = true;
  /** Why it ended, until somebody asks. */
  #failure: Failure | null = null;

  constructor(source: PullSource<T>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting) return this.#waiting.promise.then(() => this.next());
    if (!this.#open) {
      const failure = this.#takeFailure();
      return failure ? Promise.reject(failure.error) : Promise.resolve(DONE);
    }
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.wake();
    return promise;
  }

  handTo(receiver: Receiver<T>): void {
    if (!this.#open) return receiver.ended(this.#takeFailure());
    this.#receiver = receiver;
    this.wake();
  }

  /** Pulls for a waiting `next()` or whoever is handed the values; does nothing when nobody waits. */
  wake(): void {
    try {
      while (this.#isWaitedFor) {
        const value = this.#source.pull();
        if (value === null) return;
        this.#give(value);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** Gives a value that was not pulled to whoever waits; false when nobody does. */
  offer(value: T): boolean {
    if (!this.#isWaitedFor) return false;
    try {
      this.#give(value);
    } catch (error) {
      this.fail(error);
    }
    return true;
  }

  get #isWaitedFor(): boolean {
    return this.#receiver === null ? this.#waiting !== null : !this.#isBusy;
  }

  #give(value: T): void {
    const receiver = this.#receiver;
    if (receiver === null) {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve({ value, done: false });
      return;
    }
    const taken = receiver.take(value);
    if (taken === undefined) return;
    this.#isBusy = true;
    taken.then(
      () => {
        this.#isBusy = false;
        this.wake();
      },
      (error: unknown) => this.fail(error),
    );
  }

  /** Ends the stream; the waiting `next()` rejects, or the following one. */
  fail(error: unknown): void {
    this.#end({ error });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#failure = null;
    this.#end(null);
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #takeFailure(): Failure | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  #end(failure: Failure | null): void {
    if (!this.#open) return;
    this.#open = false;
    const receiver = this.#receiver;
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#receiver = null;
    this.#source.close();
    if (receiver) receiver.ended(failure);
    else if (!waiting) this.#failure = failure;
    else if (failure) waiting.reject(failure.error);
    else waiting.resolve(DONE);
  }
}
