import { DataType } from '../../market/data-type.ts';
import type { Remedies } from './remedies.ts';
import type { StreamMonitor } from './stream-monitor.ts';
import type { StreamSet } from './stream-set.ts';
import type { TradeProbe } from './trade-probe.ts';

export interface WatchOptions {
  readonly streams: StreamSet;
  readonly carries: (type: DataType) => boolean;
  readonly remedies: Remedies;
  /** Null where the collector collects no trades. */
  readonly probe: TradeProbe | null;
}

/** Every trade shows in each of these. */
const FOLLOW_TRADES: ReadonlySet<DataType> = new Set([DataType.TICKER, DataType.ORDERBOOK, DataType.CANDLE]);
/** So many trades, over so long, without a message beside them prove a stream mute. */
const TRADES_WITHOUT = 3;
const TRADES_SPAN_MS = 2_000;

/**
 * Looks after the streams of one collector. Trades are judged by a probe of the exchange's own list; what follows trades
 * is judged by them: the market is quiet, or they come and nothing else does.
 */
export class StreamWatch {
  readonly #options: WatchOptions;
  /** How many trades there were when each stream gave its last message or was last asked for. */
  readonly #tradesBefore = new Map<StreamMonitor, { readonly messages: number; readonly trades: number }>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** To be called about once a second. */
  tick(): void {
    const { streams, carries, probe } = this.#options;
    const trades = streams.get(DataType.TRADE);
    if (trades && carries(DataType.TRADE)) probe?.look(trades, () => this.#mend(trades));
    for (const stream of streams.all) {
      if (!carries(stream.dataType)) continue;
      if (trades && FOLLOW_TRADES.has(stream.dataType)) this.#judgeBeside(stream, trades);
      this.#mend(stream);
    }
  }

  #mend(stream: StreamMonitor): void {
    if (stream.needsRemedy) this.#options.remedies.apply(stream);
  }

  /** Something was done about the stream: only trades from now on speak against it. */
  acted(stream: StreamMonitor): void {
    this.#tradesBefore.delete(stream);
  }

  #judgeBeside(stream: StreamMonitor, trades: StreamMonitor): void {
    const before = this.#tradesBefore.get(stream);
    if (!before || before.messages !== stream.messages) {
      this.#tradesBefore.set(stream, { messages: stream.messages, trades: trades.messages });
      return;
    }
    if (!stream.suspect) return;
    const since = Math.max(stream.silentSince, this.#options.remedies.lastAt(stream.dataType));
    const count = trades.messages - before.trades;
    if (count >= TRADES_WITHOUT && trades.silentSince - since >= TRADES_SPAN_MS)
      stream.judge({ kind: 'mute', because: `${count} messages of trades came meanwhile: the feed is mute` });
    else if (trades.verdict && trades.verdict.kind !== 'quiet')
      stream.judge(trades.verdict); // the same one, so that nothing is done twice on its strength
    else if (trades.verdict?.kind === 'quiet')
      stream.judge({ kind: 'quiet', because: 'the market is quiet, it has no newer trades' });
  }
}
