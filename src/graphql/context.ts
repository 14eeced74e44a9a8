import type {
  CollectorEvent,
  CollectorState,
  CollectorStatus,
  ExchangeCollectorConfig,
  HealthStatus,
  StreamStatus,
} from '../collectors/collector-status.ts';
import type { Rejection } from '../collectors/rejections.ts';
import type { ExchangeAdapter } from '../exchanges/adapter.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { TradeCursors } from '../pipeline/cursor.ts';
import type { LiveFeed } from '../pipeline/live-feed.ts';
import type { RecorderStatus } from '../pipeline/recorder.ts';
import type { TradeFeed } from '../pipeline/trade-feed.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import type { InstrumentRow } from '../storage/instruments.ts';
import type { MarketDataQuery, MarketDataRow } from '../storage/market-data.ts';
import type { TradeKey, TradeQuery } from '../storage/trades.ts';

/** What the API answers from. The composition root hands it in whole; nothing under src/graphql builds or closes any of it. */
export interface Services {
  /** By id, in documentation order. */
  readonly exchanges: Readonly<Record<string, ExchangeAdapter>>;
  readonly collectors: CollectorControl;
  readonly history: History;
  readonly trades: Pick<TradeFeed, 'subscribe' | 'subscribers'>;
  readonly tradeCursors: TradeCursors;
  readonly live: Pick<LiveFeed, 'subscribe' | 'subscribers' | 'latest'>;
  /** How recording is doing. */
  readonly recorder: { status(): RecorderStatus };
  readonly queues: QueueRegistry;
  readonly clock: Clock;
  /** When the server started, by `clock`. */
  readonly startedAt: number;
  /** Of this software, e.g. "0.1.0". */
  readonly version: string;
}

/** What resolvers receive; one object for all requests until they have users. */
export type GraphQLContext = Services;

/** The collectors and their switches; `CollectorManager` is one. */
export interface CollectorControl {
  listCollectors(): readonly string[];
  getCollector(name: string): ObservedCollector | undefined;
  getStatus(): {
    readonly isRunning: boolean;
    readonly totalCollectors: number;
    readonly byState: Readonly<Record<CollectorState, number>>;
  };
  startCollector(name: string): Promise<boolean>;
  stopCollector(name: string, options?: { readonly force?: boolean }): Promise<boolean>;
  restartCollector(name: string): Promise<boolean>;
  startAll(): Promise<boolean>;
  stopAll(): Promise<unknown>;
  restartAll(): Promise<boolean>;
  removeCollector(name: string): Promise<boolean>;
  addFromConfig(config: ExchangeCollectorConfig): Promise<ObservedCollector>;
  onEvent(listener: (event: CollectorEvent) => void): Disposable;
}

/** The part of a `BaseDataCollector` that the API shows. */
export interface ObservedCollector {
  readonly name: string;
  readonly exchange: string;
  readonly symbol: string;
  getStatus(): CollectorStatus;
  getHealthStatus(): HealthStatus;
  getStreams(): readonly StreamStatus[];
  getRejections(): readonly Rejection[];
}

/** Reads from storage, bound to its database. All may throw {AppError} DATABASE_UNAVAILABLE. */
export interface History {
  listTrades(query: TradeQuery): Promise<{ readonly trades: readonly RecordedTrade[]; readonly hasMore: boolean }>;
  findTrade(exchange: string, symbol: string, key: TradeKey): Promise<RecordedTrade | null>;
  listMarketData(
    query: MarketDataQuery,
  ): Promise<{ readonly rows: readonly MarketDataRow[]; readonly hasMore: boolean }>;
  latestBalances(exchange: string): Promise<readonly MarketDataRow[]>;
  listInstruments(query: {
    readonly exchange: string | null;
    readonly limit: number;
    readonly after: { readonly exchange: string; readonly symbol: string } | null;
  }): Promise<{ readonly instruments: readonly InstrumentRow[]; readonly hasMore: boolean }>;
  findInstrument(exchange: string, symbol: string): Promise<InstrumentRow | null>;
}
