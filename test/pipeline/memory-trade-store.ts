import type { MarketStretch } from '../../src/market/coverage.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Provenance, RecordedTrade } from '../../src/market/recorded-trade.ts';
import type { TradeStore } from '../../src/pipeline/drain/drain-ports.ts';
import type { TradeHistory } from '../../src/pipeline/feed/trade-request.ts';
import type { NumberedTrade } from '../../src/storage/trade-batch.ts';
import type { TradeCommit } from '../../src/storage/trade-writer.ts';
import type { Position } from '../../src/storage/trades.ts';
import { turn } from '../support/manual-clock.ts';

const keyOf = ({ exchange, symbol, tradeId }: Trade): string => `${exchange}:${symbol}:${tradeId}`;

/** The whole log of a database and its ledger, in memory: one row a trade id, a commit is all or nothing. */
export class MemoryTradeStore implements TradeStore, TradeHistory {
  readonly writer: number;
  readonly log: RecordedTrade[] = [];
  readonly #positions = new Map<number, bigint>();
  readonly #stored = new Set<string>();
  readonly #ledger = new Map<string, MarketStretch>();
  readonly quarantined: { readonly what: string; readonly reason: string }[] = [];
  /** What the writer takes for the position: behind that of the log while a commit is unknown to it. */
  #known: bigint | null = null;
  reads = 0;
  /** Thrown by the next reads. */
  readFailure: Error | null = null;
  /** Called before each write; a throw is the write's failure. */
  beforeWrite: (batch: readonly { readonly trade: Trade }[]) => void = () => {};
  /** Called after each write; a throw is a commit whose outcome the caller does not learn. */
  afterWrite: () => void = () => {};

  constructor(writer = 1) {
    this.writer = writer;
  }

  get position(): bigint {
    return this.#known ?? this.#positions.get(this.writer) ?? 0n;
  }

  get positions(): Position {
    return new Map(this.#positions);
  }

  /** Commits trades of a writer, as if another part of the system had. */
  commit(writer: number, trades: readonly Trade[], provenance: Provenance = 'LIVE'): readonly RecordedTrade[] {
    return trades.map((trade) => {
      const sequence = (this.#positions.get(writer) ?? 0n) + 1n;
      const recorded: RecordedTrade = { trade, writer, sequence, recordedAt: trade.receivedAt, provenance };
      this.#positions.set(writer, sequence);
      this.#stored.add(keyOf(trade));
      this.log.push(recorded);
      return recorded;
    });
  }

  /** Numbers of a writer whose trades another one had stored already. */
  skip(writer: number, count: number): void {
    this.#positions.set(writer, (this.#positions.get(writer) ?? 0n) + BigInt(count));
  }

  async write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }> {
    await Promise.resolve();
    this.beforeWrite(commit.trades);
    this.#known = null;
    const leftOut = new Set<bigint>();
    const again = commit.trades.length > 0 && (this.#positions.get(this.writer) ?? 0n) >= commit.last;
    const before = this.#positions.get(this.writer) ?? 0n;
    if (!again) {
      for (const recorded of commit.trades) {
        if (this.#stored.has(keyOf(recorded.trade))) leftOut.add(recorded.sequence);
        else this.log.push(recorded);
        this.#stored.add(keyOf(recorded.trade));
      }
      this.#positions.set(this.writer, commit.last);
      for (const { exchange, symbol, first, stretch } of commit.changes) {
        const key = `${exchange} ${symbol} ${first}`;
        if (stretch) this.#ledger.set(key, { exchange, symbol, ...stretch });
        else this.#ledger.delete(key);
      }
    }
    try {
      this.afterWrite();
    } catch (error) {
      if (!again) this.#known = before;
      throw error;
    }
    return { leftOut };
  }

  async prepare(_trades: readonly NumberedTrade[]): Promise<void> {}

  async load(): Promise<readonly MarketStretch[]> {
    await Promise.resolve();
    if (this.readFailure) throw this.readFailure;
    return this.stretches();
  }

  /** The ledger, ascending within each market. */
  stretches(): readonly MarketStretch[] {
    return [...this.#ledger.values()].toSorted((a, b) => (a.first < b.first ? -1 : 1));
  }

  async quarantine(row: { readonly what: string; readonly reason: string }): Promise<void> {
    this.quarantined.push({ what: row.what, reason: row.reason });
  }

  /** A failover to a server that is behind: the newest commits never happened. */
  forget(position: bigint, stretches: readonly MarketStretch[]): void {
    const kept = this.log.filter(({ writer, sequence }) => writer !== this.writer || sequence <= position);
    this.log.splice(0, this.log.length, ...kept);
    this.#stored.clear();
    for (const { trade } of kept) this.#stored.add(keyOf(trade));
    this.#positions.set(this.writer, position);
    this.#known = null;
    this.#ledger.clear();
    for (const one of stretches) this.#ledger.set(`${one.exchange} ${one.symbol} ${one.first}`, one);
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

const START = Date.UTC(2026, 0, 1);
let made = 0;

/** A trade with an id of its own; what is not given is unremarkable. */
export function aTrade(fields: Partial<Trade> = {}): Trade {
  made += 1;
  return {
    kind: 'trade',
    exchange: 'okx',
    symbol: 'BTC-USDT',
    exchangeTime: START + made,
    receivedAt: START + made,
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

/** What PostgreSQL says of a value that no row can hold. */
export const outOfRange = () => Object.assign(new Error('error 22003: value out of range'), { code: '22003' });
