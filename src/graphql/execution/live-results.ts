import { type ExecutionResult, locatedError } from 'graphql';
import type { Failure, Receiver, Stream } from '../../pipeline/stream/stream.ts';
import { isPromise } from './run.ts';
import type { SharedAnswers } from './shared-answers.ts';

export type ResultReceiver = Receiver<ExecutionResult>;

type Source = AsyncIterator<unknown> & Partial<Pick<Stream<unknown>, 'handTo'>>;

/**
 * The results of a subscription, one for each event. A source that fails ends it with a last result that says so. Whoever serves
 * thousands has them handed over, past whatever wraps the iterator.
 */
export class LiveResults implements AsyncIterableIterator<ExecutionResult, undefined, undefined>, Receiver<unknown> {
  readonly #source: Source;
  readonly #answers: SharedAnswers;
  #receiver: ResultReceiver | null = null;
  #open = true;

  constructor(source: Source, answers: SharedAnswers) {
    this.#source = source;
    this.#answers = answers;
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (!this.#open) return { value: undefined, done: true };
    try {
      const step = await this.#source.next();
      if (!step.done) return { value: await this.#answers.of(step.value), done: false };
      this.#close();
      return { value: undefined, done: true };
    } catch (error) {
      this.#close();
      return { value: failed(error), done: false };
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#close();
    await this.#source.return?.();
    return { value: undefined, done: true };
  }

  async throw(reason: unknown): Promise<IteratorReturnResult<undefined>> {
    await this.return();
    throw reason;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Instead of `next()`, without a promise for every result. Its `ended` is never told of a failure: that is a result. */
  handTo(receiver: ResultReceiver): void {
    this.#receiver = receiver;
    if (this.#source.handTo) this.#source.handTo(this);
    else void this.#handEach(receiver);
  }

  /** As receiver of the source. */
  take(event: unknown): Promise<undefined> | undefined {
    const receiver = this.#receiver;
    const answer = this.#answers.of(event);
    return isPromise(answer) ? answer.then((late) => receiver?.take(late)) : receiver?.take(answer);
  }

  ended(failure: Failure | null): void {
    this.#close();
    const receiver = this.#receiver;
    if (failure === null) return receiver?.ended(null);
    const end = () => receiver?.ended(null);
    const taken = receiver?.take(failed(failure.error));
    if (taken) void taken.then(end, end);
    else end();
  }

  async #handEach(receiver: ResultReceiver): Promise<void> {
    for await (const result of this) await receiver.take(result);
    receiver.ended(null);
  }

  #close(): void {
    if (this.#open) this.#answers.leave();
    this.#open = false;
  }
}

const failed = (error: unknown): ExecutionResult => ({ errors: [locatedError(error, undefined)] });
