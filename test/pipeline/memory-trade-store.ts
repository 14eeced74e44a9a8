import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Provenance, RecordedTrade } from '../../src/market/recorded-trade.ts';
import type { TradeStore } from '../../src/pipeline/recorder.ts';
import type { TradeHistory } from '../../src/pipeline/trade-feed.ts';
import type { Position } from '../../src/storage/trades.ts';
import { turn } from '../support/manual-clock.ts';

/** The whole log of a database, in memory: dense sequences per writer, one row a trade id. */
export class MemoryTradeStore implements TradeStore, TradeHistory {
  readonly log: RecordedTrade[] = [];
  readonly #positions = new Map<number, bigint>();
  readonly #stored = new Set<string>();
  reads = 0;
  /** Thrown by the next reads. */
  readFailure: Error | null = null;
  /** Called before each write; a throw is the write's failure. */
  beforeWrite: (batch: readonly { readonly trade: Trade }[]) => void = () => {};
  /** Called after each write; a throw is a commit whose outcome the caller does not learn. */
  afterWrite: () => void = () => {};
  readonly #unknown = new Map<string, RecordedTrade>();

  get position(): Position {
    return new Map(this.#positions);
  }

  /** Commits trades of a writer, as if another part of the system had. */
  commit(writer: number, trades: readonly Trade[], provenance: Provenance = 'LIVE'): readonly RecordedTrade[] {
    return trades.map((trade) => {
      const sequence = (this.#positions.get(writer) ?? 0n) + 1n;
      const recorded: RecordedTrade = { trade, writer, sequence, recordedAt: trade.receivedAt, provenance };
      this.#positions.set(writer, sequence);
      this.log.push(recorded);
      return recorded;
    });
  }

  async write(
    batch: readonly { readonly trade: Trade; readonly provenance: Provenance }[],
  ): Promise<readonly RecordedTrade[]> {
    await Promise.resolve();
    this.beforeWrite(batch);
    const recorded: RecordedTrade[] = [];
    for (const { trade, provenance } of batch) {
      const key = `${trade.exchange}:${trade.symbol}:${trade.tradeId}`;
      const unknown = this.#unknown.get(key);
      if (unknown) recorded.push(unknown);
      if (this.#stored.has(key)) continue;
      this.#stored.add(key);
      recorded.push(...this.commit(1, [trade], provenance));
    }
    this.#unknown.clear();
    try {
      this.afterWrite();
    } catch (error) {
      for (const { trade, ...place } of recorded)
        this.#unknown.set(`${trade.exchange}:${trade.symbol}:${trade.tradeId}`, { trade, ...place });
      throw error;
    }
    return recorded;
  }

  async tradesAfter(
    position: Position,
    { exchange, symbols }: { readonly exchange: string | null; readonly symbols: readonly string[] | null },
    limit: number,
  ): Promise<{ trades: readonly RecordedTrade[]; position: Position; done: boolean }> {
    this.reads += 1;
    await turn();
    if (this.readFailure) throw this.readFailure;
    const after = new Map(position);
    const trades: RecordedTrade[] = [];
    for (const recorded of this.log) {
      if (recorded.sequence <= (after.get(recorded.writer) ?? 0n)) continue;
      if (trades.length === limit) return { trades, position: after, done: false };
      after.set(recorded.writer, recorded.sequence);
      const { trade } = recorded;
      if ((!exchange || trade.exchange === exchange) && (!symbols || symbols.includes(trade.symbol)))
        trades.push(recorded);
    }
    return { trades, position: after, done: true };
  }
}

let made = 0;

/** A trade with an id of its own; what is not given is unremarkable. */
export function aTrade(fields: Partial<Trade> = {}): Trade {
  made += 1;
  return {
    kind: 'trade',
    exchange: 'okx',
    symbol: 'BTC-USDT',
    exchangeTime: made,
    receivedAt: made,
    raw: null,
    tradeId: String(made),
    fillCount: 1,
    price: decimal('30000.5'),
    size: decimal('1'),
    side: 'buy',
    ...fields,
  };
}

export const someTrades = (count: number, fields: Partial<Trade> = {}): Trade[] =>
  Array.from({ length: count }, () => aTrade(fields));
