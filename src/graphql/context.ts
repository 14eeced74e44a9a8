import type { Principal } from '../access/principal.ts';
import type { CandleFeed } from '../candles/candle-feed.ts';
import type { CandlePorts } from '../candles/candles-request.ts';
import type { BackfillInput, BackfillRequest } from '../collectors/backfill/backfill-requests.ts';
import type {
  CollectorEvent,
  CollectorState,
  CollectorStatus,
  ExchangeCollectorConfig,
  HealthStatus,
} from '../collectors/collector-status.ts';
import type { Rejection } from '../collectors/rejections.ts';
import type { StreamStatus } from '../collectors/watch/stream-status.ts';
import type { ExchangeAdapter } from '../exchanges/adapter.ts';
import type { Stretch } from '../market/coverage.ts';
import type { GapLedger } from '../market/gap-ledger.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { EventLog } from '../pipeline/events/event-log.ts';
import type { TradeCursors } from '../pipeline/feed/cursor.ts';
import type { TradeFeed } from '../pipeline/feed/trade-feed.ts';
import type { LiveFeed } from '../pipeline/live/live-feed.ts';
import type { Recorder } from '../pipeline/recorder.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AuditEntry, AuditQuery, StoredAuditEntry } from '../storage/audit.ts';
import type { CoverageTotals, GapKey, GapQuery, StoredGap, StretchQuery } from '../storage/coverage.ts';
import type { InstrumentRow } from '../storage/instruments.ts';
import type { CandleRowQuery, MarketDataQuery, MarketDataRow } from '../storage/market-data.ts';
import type { MarketName, TradePageQuery, TradeQuery } from '../storage/trade-pages.ts';
import type { TradeKey } from '../storage/trades.ts';
import type { TakeResults } from './execution/execute.ts';
import type { Resume } from './resume.ts';

/** What the API answers from. The composition root hands it in whole; nothing under src/graphql builds or closes any of it. */
export interface Services {
  /** By id, in documentation order. */
  readonly exchanges: Readonly<Record<string, ExchangeAdapter>>;
  readonly collectors: CollectorControl;
  readonly history: History;
  readonly candles: CandlePorts;
  readonly candleFeed: Pick<CandleFeed, 'subscribe' | 'subscribers'>;
  readonly trades: Pick<TradeFeed, 'subscribe' | 'subscribers' | 'position' | 'drain'>;
  readonly tradeCursors: TradeCursors;
  readonly live: Pick<LiveFeed, 'subscribe' | 'subscribers' | 'latest' | 'drain'>;
  /** What is missing right now. */
  readonly gaps: Gaps;
  readonly backfills: Backfills;
  /** How recording is doing. */
  readonly recorder: Pick<Recorder, 'status' | 'storedUpTo'>;
  /** What happened to the collectors; everything `collectors` tells is appended to it. */
  readonly events: EventLog<CollectorEvent>;
  readonly keeping: Keeping;
  readonly audit: AuditLog;
  readonly queues: QueueRegistry;
  readonly clock: Clock;
  /** When the server started, by `clock`. */
  readonly startedAt: number;
  /** Of this software, e.g. "0.1.0". */
  readonly version: string;
}

/** What resolvers receive. Of a WebSocket, which says all in its documents, there is nothing to resume beside them. */
export interface GraphQLContext extends Services {
  /** Whoever asks. */
  readonly principal: Principal;
  /** The address he asks from, as the socket says. */
  readonly address: string;
  readonly resume?: Resume | null;
  readonly takeResults?: TakeResults | undefined;
}

/** A mutation somebody asked for. */
export interface AskedMutation extends Omit<AuditEntry, 'address' | 'outcome'> {
  readonly address: string;
}

/** Takes what was asked of mutations. */
export interface AuditLog {
  /**
   * Before it is done: the entry is durable when this returns, and says UNKNOWN until the function it returns is told the outcome.
   * @throws {AppError} AUDIT_UNAVAILABLE.
   */
  begin(asked: AskedMutation): (outcome: string) => void;
  /** Lists what was refused, or counts it where too much was. */
  refuse(asked: AskedMutation): void;
  /** Whether something more that is refused to an address would be listed. */
  mayList(address: string): boolean;
  /** Counts what was refused and not even read. */
  leaveOut(): void;
  /** What was refused and is not listed, as there was too much. */
  readonly unlisted: number;
}

/** What sees to it that the data stays, and goes in time. */
export interface Keeping {
  /** Backups by schedule; null without one. `newestAt` in ms, null when none counts or nobody has looked yet. */
  backups(): {
    readonly everyMs: number;
    readonly newestAt: number | null;
    readonly failures: number;
    readonly failing: boolean;
  } | null;
  /** Why retention drops nothing, in words; null when it does its work. */
  retentionRefused(): string | null;
}

/** The collectors and their switches; `CollectorManager` is one. */
export interface CollectorControl {
  listCollectors(): readonly string[];
  getCollector(name: string): ObservedCollector | undefined;
  getStatus(): {
    readonly isRunning: boolean;
    readonly totalCollectors: number;
    readonly byState: Readonly<Record<CollectorState, number>>;
  };
  /** When one in error is restarted by itself, in ms from now; null when that is not planned. */
  restartInMs(name: string): number | null;
  startCollector(name: string): Promise<boolean>;
  stopCollector(name: string, options?: { readonly force?: boolean }): Promise<boolean>;
  restartCollector(name: string): Promise<boolean>;
  startAll(): Promise<boolean>;
  stopAll(): Promise<unknown>;
  restartAll(): Promise<boolean>;
  removeCollector(name: string): Promise<boolean>;
  addFromConfig(config: ExchangeCollectorConfig): Promise<ObservedCollector>;
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

/** An array, or what makes its items only for whoever asks for them. */
export interface NodeList<Node> extends Iterable<Node> {
  at(index: number): Node | undefined;
}

export interface TradePage {
  readonly trades: NodeList<RecordedTrade>;
  readonly hasMore: boolean;
}

/** Reads from storage, bound to its database. All may throw {AppError} DATABASE_UNAVAILABLE. */
export interface History {
  listTrades(query: TradeQuery): Promise<TradePage>;
  /** The same page of several markets, in their order. */
  listTradesOf(markets: readonly MarketName[], query: TradePageQuery): Promise<readonly TradePage[]>;
  findTrade(exchange: string, symbol: string, key: TradeKey): Promise<RecordedTrade | null>;
  listMarketData(
    query: MarketDataQuery,
  ): Promise<{ readonly rows: readonly MarketDataRow[]; readonly hasMore: boolean }>;
  listMinuteCandles(query: CandleRowQuery): Promise<readonly MarketDataRow[]>;
  latestBalances(exchange: string): Promise<readonly MarketDataRow[]>;
  listInstruments(query: {
    readonly exchange: string | null;
    readonly limit: number;
    readonly after: { readonly exchange: string; readonly symbol: string } | null;
  }): Promise<{ readonly instruments: readonly InstrumentRow[]; readonly hasMore: boolean }>;
  findInstrument(exchange: string, symbol: string): Promise<InstrumentRow | null>;
  /** Whether `findInstrument` finds one, at less cost. */
  hasInstrument(exchange: string, symbol: string): Promise<boolean>;
  listStretches(query: StretchQuery): Promise<readonly Stretch[]>;
  listAudit(query: AuditQuery): Promise<{ readonly entries: readonly StoredAuditEntry[]; readonly hasMore: boolean }>;
  listGaps(query: GapQuery): Promise<{ readonly gaps: readonly StoredGap[]; readonly hasMore: boolean }>;
  findGap(name: Omit<GapKey, 'writer'>): Promise<StoredGap | null>;
  /** Of trades; null when nothing is known of them. */
  coverageTotals(exchange: string, symbol: string): Promise<CoverageTotals | null>;
}

/** The part of the ledger that the API shows; the recorder's `gaps` is one. */
export interface Gaps extends Pick<GapLedger, 'openGaps' | 'onChange'> {
  /** Gaps that are open, of all markets. */
  readonly openCount: number;
}

export type Backfill = Omit<BackfillRequest, 'covered'>;

/** Backfills by request. */
export interface Backfills {
  /**
   * Resolves as soon as it is known what there is to fetch; it goes on in the background.
   * @throws {AppError} SYMBOL_UNKNOWN, BACKFILL_REFUSED when the exchange cannot give what is asked for, EXCHANGE_REST_FAILED.
   */
  request(input: BackfillInput): Promise<Backfill>;
  /** Null when there is none of that id. */
  find(id: string): Backfill | null | Promise<Backfill | null>;
  /** Repeating changes nothing. @throws {AppError} BACKFILL_UNKNOWN */
  cancel(id: string): Promise<Backfill>;
}
