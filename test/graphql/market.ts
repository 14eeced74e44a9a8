import { CandleFeed } from '../../src/candles/candle-feed.ts';
import { BaseDataCollector } from '../../src/collectors/base-data-collector.ts';
import { CollectorManager } from '../../src/collectors/collector-manager.ts';
import type { CollectorEvent, ExchangeCollectorConfig } from '../../src/collectors/collector-status.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import type { History, Services } from '../../src/graphql/context.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { OrderBook, Ticker, Trade } from '../../src/market/market-event.ts';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import { tradeCursors } from '../../src/pipeline/feed/cursor.ts';
import { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import { ShownCoverage } from '../../src/pipeline/ledger/shown-coverage.ts';
import { TradeLedgers } from '../../src/pipeline/ledger/trade-ledgers.ts';
import { LiveFeed } from '../../src/pipeline/live/live-feed.ts';
import type { RecorderStatus } from '../../src/pipeline/recorder.ts';
import { QueueRegistry } from '../../src/runtime/bounded-queue.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { AuditEntry } from '../../src/storage/audit.ts';
import type { MarketDataRow } from '../../src/storage/market-data.ts';
import { MemoryEventLog } from '../pipeline/events/memory-event-log.ts';
import { MemoryTradeStore } from '../pipeline/memory-trade-store.ts';
import { basisByHand, newestByHand } from '../support/candle-by-hand.ts';
import { memoryCandles } from '../support/memory-candles.ts';
import { HandBackfills, HandLedger } from './ledger.ts';

export const START = Date.parse('2026-01-01T00:00:00.000Z');

/** Trade k of an instrument: one every 100 ms, ids beyond 2^53, ten decimals. */
export const tradeOf = (k: number, symbol = 'BTC-USDT', exchange = 'okx'): Trade => ({
  ...{ kind: 'trade', exchange, symbol },
  tradeId: String(9_007_199_254_740_993n + BigInt(k)),
  fillCount: 1,
  price: decimal(`50000.${String(k).padStart(10, '0')}`),
  size: decimal('0.00012000'),
  side: k % 2 === 0 ? 'buy' : 'sell',
  exchangeTime: START + k * 100,
  receivedAt: START + k * 100 + 5,
  raw: { tradeId: String(k) },
});

export const tickerOf = (last: string, symbol = 'BTC-USDT'): Ticker => ({
  ...{ kind: 'ticker', exchange: 'okx', symbol, exchangeTime: START, receivedAt: START, raw: {} },
  ...{ last: decimal(last), lastSize: null, bid: null, bidSize: null, ask: null, askSize: null },
  ...{ open24h: null, high24h: null, low24h: null, volume24h: null, quoteVolume24h: null },
});

export const bookOf = (levels: number, sequence: number): OrderBook => ({
  ...{ kind: 'orderbook', exchange: 'okx', symbol: 'BTC-USDT', exchangeTime: START, receivedAt: START, raw: {} },
  bids: Array.from({ length: levels }, (_, level) => [decimal(String(50_000 - level)), decimal('1')] as const),
  asks: Array.from({ length: levels }, (_, level) => [decimal(String(50_001 + level)), decimal('2')] as const),
  sequence,
  validity: 'VALID',
  chained: true,
});

/** The exchange refuses a collector of this symbol. */
export const UNLISTED = 'NO-SUCH';

/** A collector that only pretends: it starts, unless told not to. */
class QuietCollector extends BaseDataCollector {
  refuses = false;

  protected override open(): Promise<void> {
    return this.refuses
      ? Promise.reject(new AppError('EXCHANGE_REFUSED', 'okx refused the channel'))
      : Promise.resolve();
  }

  /** As after a frame that makes no sense. */
  stumble(reason: string, detail: string): void {
    this.trouble(reason, detail);
  }

  protected override close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface Market {
  readonly services: Services;
  readonly feed: TradeFeed;
  readonly live: LiveFeed;
  readonly manager: CollectorManager;
  readonly collector: QuietCollector;
  readonly rows: MarketDataRow[];
  readonly store: MemoryTradeStore;
  readonly ledger: HandLedger;
  readonly events: MemoryEventLog<CollectorEvent>;
  /** How backups and retention are doing. */
  readonly keeping: { backups: ReturnType<Services['keeping']['backups']>; refused: string | null };
  readonly audit: AuditEntry[];
  /** How recording is doing. */
  recording: RecorderStatus['trades'];
  /** Thrown by every read of history while set. */
  failure: unknown;
  /** Records and publishes the next `count` trades. */
  trade(count: number): readonly RecordedTrade[];
}

/** Real feeds and a real manager over trades kept in memory: everything the API answers from but exchanges and a database. */
export async function openMarket(): Promise<Market> {
  const store = new MemoryTradeStore();
  const queues = new QueueRegistry();
  const feed = new TradeFeed({ history: store, clock: systemClock, position: new Map() });
  const live = new LiveFeed({ clock: systemClock, queues });
  const createCollector = (config: ExchangeCollectorConfig) => {
    if (!Object.hasOwn(EXCHANGES, config.exchange))
      throw new AppError('EXCHANGE_UNKNOWN', `There is no exchange ${config.exchange}`);
    const made = new QuietCollector(config);
    made.refuses = config.symbol === UNLISTED;
    return made;
  };
  const manager = new CollectorManager({ factory: { createCollector } });
  const collector = createCollector({ exchange: 'okx', symbol: 'BTC-USDT', dataTypes: ['trade', 'ticker'] });
  manager.addCollector(collector);
  await manager.start();
  const rows: MarketDataRow[] = [];
  const ledger = new HandLedger();
  const events = new MemoryEventLog<CollectorEvent>();
  manager.onEvent((event) => events.append(event));
  const audit: AuditEntry[] = [];
  let traded = 0;
  const market: Market = {
    ...{ feed, live, manager, collector, rows, store, ledger, events, audit, failure: null },
    recording: IDLE.trades,
    keeping: { backups: null, refused: null },
    services: {
      exchanges: EXCHANGES,
      collectors: manager,
      history: guarded(
        { ...historyOf(store, rows), ...ledger.history, listAudit: async () => ({ entries: [], hasMore: false }) },
        () => market.failure,
      ),
      candles: memoryCandles(
        () => store.log,
        () => ledger.stretches,
        systemClock,
      ),
      candleFeed: new CandleFeed({
        trades: feed,
        coverage: new ShownCoverage({ ledgers: new TradeLedgers(), isShown: () => true }),
        readCandleBases: async ({ symbol, windows, position }) => {
          const own = store.log.filter(
            ({ trade, writer, sequence }) => trade.symbol === symbol && sequence <= (position.get(writer) ?? 0n),
          );
          return windows.map((window) => basisByHand(own, window));
        },
        newestTimes: async (_exchange, symbols) =>
          new Map(symbols.map((symbol) => [symbol, newestByHand(store.log, symbol)])),
        ...{ queues, clock: systemClock },
      }),
      trades: feed,
      tradeCursors,
      gaps: ledger,
      events,
      audit: {
        begin: (asked) => {
          const index = audit.push({ ...asked, outcome: 'UNKNOWN' }) - 1;
          return (outcome) => void audit.splice(index, 1, { ...asked, outcome });
        },
        refuse: (asked) => void audit.push({ ...asked, outcome: 'REFUSED' }),
        mayList: () => true,
        leaveOut: () => {},
        unlisted: 0,
      },
      backfills: new HandBackfills(),
      live,
      keeping: { backups: () => market.keeping.backups, retentionRefused: () => market.keeping.refused },
      recorder: { status: () => ({ ...IDLE, trades: market.recording }), storedUpTo: () => Promise.resolve() },
      queues,
      clock: systemClock,
      startedAt: systemClock.now(),
      version: '0.0.0-test',
    },
    trade: (count) => {
      const trades = Array.from({ length: count }, () => tradeOf(traded++));
      const recorded = store.commit(1, trades);
      feed.publish(recorded);
      return recorded;
    },
  };
  return market;
}

const idle = { stored: 0, refused: 0, refusedSample: [], commitMs: null, lastError: null };
const IDLE: RecorderStatus = {
  trades: {
    ...{ state: 'STORING', reason: '', spoolBytes: 0 },
    intake: { queued: 0, stampedAt: null, fullSince: null, repeated: 0, turnedAway: 0, unfit: 0 },
    drain: { ...idle, spooled: 0, batches: 0, oldestMs: null, waitingSince: null },
  },
  marketData: { ...idle, state: 'STORING', reason: '', queued: 0, oldestMs: null },
};

function guarded(history: History, failure: () => unknown): History {
  return new Proxy(history, {
    get:
      (target, name: keyof History) =>
      async (...query: unknown[]) => {
        if (failure() !== null) throw failure();
        demandStorable(query);
        return (target[name] as (...args: unknown[]) => unknown)(...query);
      },
  });
}

/** Throws for what PostgreSQL refuses in a parameter. */
function demandStorable(value: unknown): void {
  const ms = value instanceof Date ? value.getTime() : null;
  if (ms !== null && !(ms >= Date.parse('0001-01-01') && ms < Date.parse('+010000-01-01')))
    throw new Error('error 22008: date/time field value out of range');
  if (typeof value === 'bigint' && value !== BigInt.asIntN(64, value)) throw new Error('error 22003: out of range');
  if (typeof value === 'string' && value.includes('\0')) throw new Error('error 22021: invalid byte sequence');
  if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value))
      demandStorable(/^(exchangeTime|timestamp)$/.test(name) && typeof inner === 'number' ? new Date(inner) : inner);
}

function historyOf(
  { log }: MemoryTradeStore,
  rows: readonly MarketDataRow[],
): Omit<History, keyof HandLedger['history'] | 'listAudit'> {
  const listTrades: History['listTrades'] = async ({ exchange, symbol, side, asOf, ...range }) => {
    const { page, hasMore } = pageOf(
      log
        .filter(
          ({ trade, recordedAt }) =>
            trade.exchange === exchange &&
            trade.symbol === symbol &&
            (side === null || trade.side === side) &&
            (asOf === null || recordedAt <= asOf.getTime()),
        )
        .toSorted((a, b) => a.trade.exchangeTime - b.trade.exchangeTime),
      ({ trade }) => trade.exchangeTime,
      ({ trade }, key) => trade.tradeId === key.tradeId,
      range,
    );
    return { trades: page, hasMore };
  };
  return {
    listTrades,
    listTradesOf: (markets, query) => Promise.all(markets.map((market) => listTrades({ ...market, ...query }))),
    findTrade: async (exchange, symbol, { tradeId }) =>
      log.find(({ trade }) => trade.exchange === exchange && trade.symbol === symbol && trade.tradeId === tradeId) ??
      null,
    listMarketData: async ({ exchange, symbol, dataType, ...range }) => {
      const { page, hasMore } = pageOf(
        rows.filter((row) => row.exchange === exchange && row.symbol === symbol && row.dataType === dataType),
        ({ timestamp }) => timestamp.getTime(),
        ({ id }, key) => id === key.id,
        range,
      );
      return { rows: page, hasMore };
    },
    listMinuteCandles: async ({ exchange, symbol, from, to }) =>
      rows
        .filter((row) => row.exchange === exchange && row.symbol === symbol && row.dataType === 'candle')
        .filter(({ timestamp }) => timestamp > from && timestamp <= to),
    latestBalances: async (exchange) => rows.filter((row) => row.exchange === exchange && row.dataType === 'balance'),
    listInstruments: async ({ exchange, limit, after }) => {
      const all = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'].map((symbol, id) => instrument(id, symbol));
      const wanted = all.filter(
        (one) => (exchange === null || one.exchange === exchange) && (after === null || one.symbol > after.symbol),
      );
      return { instruments: wanted.slice(0, limit), hasMore: wanted.length > limit };
    },
    findInstrument: async (exchange, symbol) =>
      exchange === 'okx' && symbol === 'ETH-USDT' ? instrument(1, symbol) : null,
    hasInstrument: async (exchange, symbol) => exchange === 'okx' && symbol === 'ETH-USDT',
  };
}

const instrument = (id: number, symbol: string) =>
  ({ id, exchange: 'okx', symbol, kind: 'market', firstTradeAt: new Date(START), lastTradeAt: null }) as const;

interface Range<Key> {
  readonly from: Date | null;
  readonly to: Date | null;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly after: Key | null;
  readonly before: Key | null;
  readonly fromEnd: boolean;
}

function pageOf<Row, Key>(
  ascending: readonly Row[],
  timeOf: (row: Row) => number,
  isAt: (row: Row, key: Key) => boolean,
  { from, to, order, limit, after, before, fromEnd }: Range<Key>,
) {
  const inRange = ascending.filter(
    (row) => (!from || timeOf(row) >= from.getTime()) && (!to || timeOf(row) < to.getTime()),
  );
  const ordered = order === 'ASC' ? inRange : inRange.toReversed();
  const start = after === null ? 0 : ordered.findIndex((row) => isAt(row, after)) + 1;
  const end = before === null ? ordered.length : ordered.findIndex((row) => isAt(row, before));
  const window = ordered.slice(start, end);
  return { page: fromEnd ? window.slice(-limit) : window.slice(0, limit), hasMore: window.length > limit };
}
