/** A client that wants everything once, across restarts of the server: it comes back with its last position. */
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import type { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import type { TradeFilter } from '../../src/pipeline/feed/trade-filter.ts';
import type { TradeBatch } from '../../src/pipeline/feed/trade-request.ts';
import { DEFAULT_DELIVERY } from '../../src/pipeline/stream/delivery.ts';
import type { Stream } from '../../src/pipeline/stream/stream.ts';
import type { Position } from '../../src/storage/trades.ts';

export class Subscriber {
  readonly filter: TradeFilter;
  readonly seen: RecordedTrade[] = [];
  readonly #told: (trades: readonly RecordedTrade[]) => void;
  #position: Position = new Map();
  #stream: Stream<TradeBatch> | null = null;

  constructor(filter: TradeFilter, told: (trades: readonly RecordedTrade[]) => void) {
    this.filter = filter;
    this.#told = told;
  }

  connect(feed: TradeFeed): void {
    const stream = feed.subscribe({ filter: this.filter, after: this.#position, delivery: DEFAULT_DELIVERY });
    this.#stream = stream;
    void this.#read(stream);
  }

  /** The connection is gone. */
  async cut(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    await stream?.return();
  }

  async #read(stream: Stream<TradeBatch>): Promise<void> {
    for await (const { trades, position } of stream) {
      if (this.#stream !== stream) return;
      this.seen.push(...trades);
      this.#position = position;
      this.#told(trades);
    }
  }

  /** What is wrong with what it saw. */
  judge(log: readonly RecordedTrade[], excused: (key: string) => boolean): readonly string[] {
    const wrong: string[] = [];
    const wanted = log.filter(({ trade }) => this.filter.symbols?.includes(trade.symbol) ?? true);
    const stored = new Set(wanted.map(keyOf));
    const seen = new Set<string>();
    let sequence = 0n;
    for (const one of this.seen) {
      const key = keyOf(one);
      if (seen.has(key) && !excused(key)) wrong.push(`SEEN TWICE ${key}`);
      if (!stored.has(key) && !excused(key)) wrong.push(`SEEN, NOT STORED ${key}`);
      if (one.sequence <= sequence) wrong.push(`OUT OF ORDER ${key}: ${one.sequence} after ${sequence}`);
      sequence = one.sequence;
      seen.add(key);
    }
    for (const key of stored) if (!seen.has(key) && !excused(key)) wrong.push(`UNSEEN ${key}`);
    return wrong;
  }
}

const keyOf = ({ trade }: RecordedTrade): string => `${trade.symbol} ${trade.tradeId}`;
