/** Many subscribers in one process, each of one market: they read trades off the socket and note their times. */
import { monotonic } from '../fan-out/monotonic.ts';
import { answer } from '../frame/answer.ts';
import { openAll, SubscriberSocket } from '../frame/subscriber-socket.ts';

export interface Subscribers {
  readonly port: number;
  /** What each of them sends. */
  readonly documents: readonly string[];
}

export interface Taken {
  /** From the exchange to the subscriber, ms, of all subscribers and trades since `begin`. */
  readonly p50: number;
  readonly p99: number;
  readonly trades: number;
  /** Trades that came twice or not in their order. */
  readonly twice: number;
}

const AT_ONCE = 16;
const [ID, SIZE] = ['"tradeId":"', '"size":"'];

let times: number[] = [];
let begunAt = 0;
let twice = 0;

class Subscriber extends SubscriberSocket {
  #last = 0;

  /** The id of the newest trade it has. */
  get last(): number {
    return this.#last;
  }

  protected override next(text: string): void {
    const now = monotonic();
    for (let at = text.indexOf(ID); at >= 0; at = text.indexOf(ID, at)) {
      const id = numberAt(text, at + ID.length);
      at = text.indexOf(SIZE, at) + SIZE.length;
      const sentAt = numberAt(text, at);
      if (sentAt >= begunAt) times.push(now - sentAt);
      if (id <= this.#last) twice += 1;
      this.#last = Math.max(this.#last, id);
    }
  }
}

const numberAt = (text: string, at: number): number => Number(text.slice(at, text.indexOf('"', at)));

const subscribers: Subscriber[] = [];

answer({
  open: ({ port, documents }: Subscribers) =>
    openAll(documents, AT_ONCE, (document) => {
      const one = new Subscriber(port, document);
      subscribers.push(one);
      return one;
    }),
  /** How many have seen a trade. */
  reached: () => subscribers.filter(({ last }) => last > 0).length,
  /** How many have the newest trade of their market. */
  upToDate: (newest: readonly number[]) =>
    subscribers.filter(({ last }, k) => last === newest[k % newest.length]).length,
  /** Trades that are sent from now on count. */
  begin() {
    times = [];
    begunAt = monotonic();
    twice = 0;
  },
  taken(): Taken {
    const sorted = Float64Array.from(times).sort();
    const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), trades: sorted.length, twice };
  },
});
