import type { Failure, Receiver, Stream } from '../pipeline/stream/stream.ts';

/** A stream as a subscription's resolver returns it: its executor may have the values handed over. */
export interface MappedStream<T> extends AsyncIterableIterator<T, undefined, undefined>, Pick<Stream<T>, 'handTo'> {}

/** `source` with every value changed. Leaving it leaves the source at once: `return()` is passed on while a `next()` still waits. */
export const mapStream = <In, Out>(source: Source<In>, change: (value: In) => Out): MappedStream<Out> =>
  new Mapped(source, change);

type Source<T> = Pick<Stream<T>, 'next' | 'return' | 'handTo'>;

/** Classes: thousands of subscribers have one each. */
class Mapped<In, Out> implements MappedStream<Out> {
  readonly #source: Source<In>;
  readonly #change: (value: In) => Out;

  constructor(source: Source<In>, change: (value: In) => Out) {
    this.#source = source;
    this.#change = change;
  }

  async next(): Promise<IteratorResult<Out, undefined>> {
    const step = await this.#source.next();
    return step.done ? { value: undefined, done: true } : { value: this.#change(step.value), done: false };
  }

  handTo(receiver: Receiver<Out>): void {
    this.#source.handTo(new Changing(receiver, this.#change));
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#source.return();
    return { value: undefined, done: true };
  }

  async throw(reason: unknown): Promise<IteratorReturnResult<undefined>> {
    await this.#source.return();
    throw reason;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

class Changing<In, Out> implements Receiver<In> {
  readonly #receiver: Receiver<Out>;
  readonly #change: (value: In) => Out;

  constructor(receiver: Receiver<Out>, change: (value: In) => Out) {
    this.#receiver = receiver;
    this.#change = change;
  }

  take(value: In): Promise<undefined> | undefined {
    return this.#receiver.take(this.#change(value));
  }

  ended(failure: Failure | null): void {
    this.#receiver.ended(failure);
  }
}
