/** Many subscribers in one process: they count the trades in the frames that come. */
import { answer } from '../frame/answer.ts';
import { fail } from '../frame/fail.ts';
import { openAll, SubscriberSocket } from '../frame/subscriber-socket.ts';
import { monotonic } from './monotonic.ts';

export interface Subscribers {
  readonly port: number;
  readonly count: number;
  /** Subscriber k sends document k modulo their number. */
  readonly documents: readonly string[];
}

export interface Received {
  /** When the last subscriber had event k, by `monotonic`. */
  readonly lastAt: readonly number[];
}

const AT_ONCE = 32;

const subscribers: Subscriber[] = [];
let lastAt: number[] = [];
let missing = Number.POSITIVE_INFINITY;
let complete = Promise.withResolvers<void>();

class Subscriber extends SubscriberSocket {
  #seen = 0;
  /** Of a payload with one trade. */
  #unit = 0;

  get seen(): number {
    return this.#seen;
  }

  begin(): void {
    this.#seen = 0;
  }

  protected override known(bytes: number): boolean {
    const isOne = this.#unit > 0 && bytes < this.#unit * 1.3;
    if (isOne) this.#trades(1);
    return isOne;
  }

  protected override next(text: string, bytes: number): void {
    const trades = text.split('"price"').length - 1;
    if (trades === 0) fail(`No trade: ${text.slice(0, 500)}`);
    if (trades === 1) this.#unit = bytes;
    this.#trades(trades);
  }

  #trades(count: number): void {
    const now = monotonic();
    for (let k = 0; k < count; k += 1) lastAt[this.#seen++] = now;
    missing -= count;
    if (missing <= 0) complete.resolve();
  }
}

answer({
  open: ({ port, count, documents }: Subscribers) =>
    openAll(
      Array.from({ length: count }, (_, k) => documents[k % documents.length] ?? ''),
      AT_ONCE,
      (document) => {
        const one = new Subscriber(port, document);
        subscribers.push(one);
        return one;
      },
    ),
  /** How many have seen a trade. */
  reached: () => subscribers.filter(({ seen }) => seen > 0).length,
  begin(events: number) {
    for (const subscriber of subscribers) subscriber.begin();
    lastAt = [];
    complete = Promise.withResolvers();
    missing = events * subscribers.length;
  },
  async received(): Promise<Received> {
    await complete.promise;
    return { lastAt };
  },
});
