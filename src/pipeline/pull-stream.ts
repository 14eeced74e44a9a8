import type { Stream, Taken, Taker } from './stream.ts';

/** Where a stream's values come from. */
export interface PullSource<T> {
  /** The next value, or null when there is none yet; the source then calls `wake()` when that may have changed. */
  pull(): T | null;
  /** Called once, when the stream ends for whatever reason. */
  close(): void;
}

interface Receiver<T> extends Omit<PromiseWithResolvers<boolean>, 'promise'> {
  readonly take: Taker<T>;
}

const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** An async iterator over a source that is asked, never fed. Not an async generator: those cannot be left while they wait. */
export class PullStream<T> implements Stream<T> {
  readonly #source: PullSource<T>;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | null = null;
  #receiver: Receiver<T> | null = null;
  #isReceiving = false;
  #open = true;
  /** Why it ended, until somebody asks. */
  #failure: { readonly error: unknown } | null = null;

  constructor(source: PullSource<T>) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting) return this.#waiting.promise.then(() => this.next());
    if (!this.#open) return this.#afterEnd();
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.wake();
    return promise;
  }

  handTo(take: Taker<T>): Promise<boolean> {
    if (!this.#open) return this.#afterEnd().then(() => true);
    const { promise, ...settle } = Promise.withResolvers<boolean>();
    this.#receiver = { take, ...settle };
    this.wake();
    return promise;
  }

  /** Pulls for a waiting `next()` or whoever is handed the values; does nothing when nobody waits. */
  wake(): void {
    if (this.#receiver) return this.#hand(this.#receiver);
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      const value = this.#source.pull();
      if (value === null) return;
      this.#waiting = null;
      waiting.resolve({ value, done: false });
    } catch (error) {
      this.fail(error);
    }
  }

  #hand(receiver: Receiver<T>): void {
    if (this.#isReceiving) return;
    try {
      while (this.#receiver === receiver) {
        const value = this.#source.pull();
        if (value === null) return;
        const taken = receiver.take(value);
        if (taken instanceof Promise) return this.#resume(receiver, taken);
        if (taken === false) this.#dismiss(receiver);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #resume(receiver: Receiver<T>, taken: Promise<Taken>): void {
    this.#isReceiving = true;
    const go = (wish: Taken) => {
      this.#isReceiving = false;
      if (this.#receiver !== receiver) return;
      if (wish === false) this.#dismiss(receiver);
      else this.#hand(receiver);
    };
    taken.then(go, (error: unknown) => this.fail(error));
  }

  #dismiss(receiver: Receiver<T>): void {
    this.#receiver = null;
    receiver.resolve(false);
  }

  /** Ends the stream; the waiting `next()` rejects, or the following one. */
  fail(error: unknown): void {
    if (!this.#open) return;
    const receiver = this.#receiver;
    const waiting = this.#end();
    if (receiver) receiver.reject(error);
    else if (waiting) waiting.reject(error);
    else this.#failure = { error };
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#failure = null;
    const receiver = this.#receiver;
    this.#end()?.resolve(DONE);
    receiver?.resolve(true);
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #afterEnd(): Promise<IteratorResult<T, undefined>> {
    const failure = this.#failure;
    this.#failure = null;
    return failure ? Promise.reject(failure.error) : Promise.resolve(DONE);
  }

  #end(): PromiseWithResolvers<IteratorResult<T, undefined>> | null {
    if (!this.#open) return null;
    this.#open = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#receiver = null;
    this.#source.close();
    return waiting;
  }
}
