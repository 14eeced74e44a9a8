import { setImmediate as turns } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Trade } from '../../src/market/market-event.ts';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import { DEFAULT_DELIVERY } from '../../src/pipeline/delivery.ts';
import { type LiveEvent, LiveFeed } from '../../src/pipeline/live-feed.ts';
import { Recorder } from '../../src/pipeline/recorder.ts';
import { TradeFeed } from '../../src/pipeline/trade-feed.ts';
import { QueueRegistry } from '../../src/runtime/bounded-queue.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aBook, aTicker } from './market-data.ts';
import { aTrade, MemoryTradeStore, someTrades } from './memory-trade-store.ts';

function openRecorder(options: ConstructorParameters<typeof Recorder>[1] = {}) {
  const clock = new ManualClock();
  const store = new MemoryTradeStore();
  const samples: LiveEvent[] = [];
  const marketData = {
    failure: null as Error | null,
    insert: async (events: readonly LiveEvent[]) => {
      if (marketData.failure) throw marketData.failure;
      samples.push(...events);
    },
  };
  const queues = new QueueRegistry();
  const gate = new Gate();
  const tradeFeed = new TradeFeed({ history: store, clock, position: new Map() });
  const liveFeed = new LiveFeed({ clock, queues });
  const recorder = new Recorder(
    { trades: store, marketData, tradeFeed, liveFeed, gate, queues, clock, random: () => 0.5, log: silentLog },
    options,
  );
  const accept = (trades: readonly Trade[]) => trades.map((trade) => recorder.accept(trade, { storeRaw: true }));
  const published: RecordedTrade[] = [];
  const stream = tradeFeed.subscribe({ filter: {}, after: null, delivery: DEFAULT_DELIVERY });
  void (async () => {
    for await (const batch of stream) published.push(...batch.trades);
  })();
  return { clock, store, samples, marketData, queues, gate, tradeFeed, liveFeed, recorder, accept, published };
}

const ids = (trades: readonly { readonly tradeId: string }[]) => trades.map(({ tradeId }) => tradeId);
const storedIds = (recorded: readonly RecordedTrade[]) => ids(recorded.map(({ trade }) => trade));
const unavailable = () => new AppError('DATABASE_UNAVAILABLE', 'The database does not answer');

describe('Recorder', () => {
  it('stores trades in the order they came, in batches, one at a time, and publishes them after the commit', async () => {
    const { clock, store, accept, published } = openRecorder({ maxRows: 100 });
    const batches: number[] = [];
    store.beforeWrite = (batch) => {
      batches.push(batch.length);
      expect(published.length).toBe(store.log.length);
    };
    const trades = someTrades(250);
    expect(accept(trades)).toEqual(trades.map(() => true));
    await clock.advance(20);
    expect(batches).toEqual([100, 100, 50]);
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(published).toEqual(store.log);
  });

  it('lets a lone trade wait a few milliseconds for company', async () => {
    const { clock, store, accept } = openRecorder({ lingerMs: 4 });
    const batches: number[] = [];
    store.beforeWrite = (batch) => batches.push(batch.length);
    accept(someTrades(1));
    await clock.advance(3);
    accept(someTrades(1));
    await clock.advance(2);
    expect(batches).toEqual([2]);
  });

  it('passes provenance and the wish to keep the payload on', async () => {
    const { clock, store, recorder } = openRecorder();
    const written: unknown[] = [];
    store.beforeWrite = (batch) => written.push(...batch);
    recorder.accept(aTrade(), { storeRaw: false, provenance: 'BACKFILL' });
    recorder.accept(aTrade(), { storeRaw: true });
    await clock.advance(10);
    expect(written).toMatchObject([
      { provenance: 'BACKFILL', storeRaw: false },
      { provenance: 'LIVE', storeRaw: true },
    ]);
  });

  it('repeats the same batch while the database is away, says so in words, and loses and doubles nothing', async () => {
    const { clock, store, recorder, accept, published } = openRecorder();
    const tried: string[][] = [];
    store.beforeWrite = (batch) => {
      tried.push(ids(batch.map(({ trade }) => trade)));
      throw unavailable();
    };
    const trades = someTrades(30);
    accept(trades.slice(0, 10));
    await clock.advance(10_000);
    accept(trades.slice(10));
    await clock.advance(2_000);
    expect(new Set(tried.map(String)).size).toBe(1);
    const { state, reason, queued, oldestMs, lastError } = recorder.status().trades;
    expect({ state, queued, oldestMs, lastError: lastError?.message }).toEqual({
      state: 'WAITING_FOR_DATABASE',
      queued: 30,
      oldestMs: 12_000,
      lastError: 'The database does not answer',
    });
    expect(reason).toBe('Waiting for the database for 12.0 s, 30 trades queued: The database does not answer');
    store.beforeWrite = () => {};
    await clock.advance(2_000);
    expect(storedIds(published)).toEqual(ids(trades));
    expect(recorder.status().trades).toMatchObject({
      state: 'STORING',
      queued: 0,
      oldestMs: null,
      reason: 'All trades are stored',
    });
  });

  it('backs off with jitter, to two seconds at most', async () => {
    const { clock, store, accept } = openRecorder({ lingerMs: 0 });
    const at: number[] = [];
    store.beforeWrite = () => {
      at.push(clock.monotonic());
      throw unavailable();
    };
    accept(someTrades(1));
    await clock.advance(8_000);
    expect(at.slice(1).map((time, i) => time - (at[i] ?? 0))).toEqual([
      50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000,
    ]);
  });

  it('publishes once what a commit of unknown outcome had stored', async () => {
    const { clock, store, accept, published } = openRecorder();
    let broken = true;
    store.afterWrite = () => {
      if (broken) throw unavailable();
    };
    const trades = someTrades(5);
    accept(trades);
    await clock.advance(100);
    broken = false;
    await clock.advance(2_000);
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(published).toEqual(store.log);
  });

  it('closes the gate before the queue is full and opens it when there is room again', async () => {
    const { clock, store, gate, accept, recorder } = openRecorder({ tradeCapacity: 100, maxRows: 10 });
    store.beforeWrite = () => {
      throw unavailable();
    };
    accept(someTrades(1));
    await clock.advance(10);
    expect(accept(someTrades(49))).not.toContain(false);
    expect(gate.open).toBe(true);
    accept(someTrades(1));
    expect(gate.open).toBe(false);
    expect(gate.closedBy).toEqual(['trades waiting for the database']);
    expect(accept(someTrades(50))).not.toContain(false);
    expect(accept(someTrades(3))).toEqual([false, false, false]);
    expect(recorder.status().turnedAway).toBe(3);
    store.beforeWrite = () => {};
    await clock.advance(2_000);
    expect(gate.open).toBe(true);
    expect(store.log).toHaveLength(101);
  });

  it('takes a trade that was turned away when it comes again', async () => {
    const { clock, store, accept } = openRecorder({ tradeCapacity: 1 });
    const [first = aTrade(), second = aTrade()] = someTrades(2);
    expect(accept([first, second])).toEqual([true, false]);
    await clock.advance(10);
    expect(accept([second])).toEqual([true]);
    await clock.advance(10);
    expect(storedIds(store.log)).toEqual(ids([first, second]));
  });

  it('turns recent repetitions away early, by exchange, symbol and id', async () => {
    const { clock, store, accept, recorder } = openRecorder();
    const trade = aTrade();
    accept([
      trade,
      { ...trade },
      { ...trade, symbol: 'ETH-USDT' },
      { ...trade, exchange: 'binance' },
      { ...trade, fillCount: 3 },
    ]);
    await clock.advance(10);
    expect(recorder.status().repeated).toBe(1);
    expect(store.log).toHaveLength(3); // the packed one is the store's to judge
    const later = someTrades(2_000);
    accept([...later, trade]);
    await clock.advance(100);
    expect(recorder.status().repeated).toBe(1);
    expect(store.log).toHaveLength(2_003);
  });

  it('sets aside the rows storage never takes, keeps a sample, and stores their neighbours in order', async () => {
    const { clock, store, accept, recorder, published } = openRecorder();
    const trades = someTrades(300);
    const bad = new Set([trades[0], trades[137], trades[138], trades[299]]);
    store.beforeWrite = (batch) => {
      if (batch.some(({ trade }) => bad.has(trade)))
        throw new AppError('DATA_POINT_INVALID', 'The time is out of range');
    };
    accept(trades);
    await clock.advance(100);
    const good = trades.filter((trade) => !bad.has(trade));
    expect(storedIds(published)).toEqual(ids(good));
    const { refused, refusedSample, stored, state } = recorder.status().trades;
    expect({ refused, stored, state }).toEqual({ refused: 4, stored: 296, state: 'STORING' });
    expect(refusedSample[1]).toMatchObject({
      what: `okx:BTC-USDT trade ${trades[137]?.tradeId}`,
      reason: 'The time is out of range',
    });
    accept([trades[137] ?? aTrade()]);
    await clock.advance(10_000);
    expect(recorder.status().trades.refused).toBe(5);
    expect(recorder.status().trades.refusedSample).toHaveLength(5);
  });

  it('keeps no more than twenty of the rows storage refused', async () => {
    const { clock, store, accept, recorder } = openRecorder();
    const trades = someTrades(60);
    const bad = new Set(trades.slice(0, 50));
    store.beforeWrite = (batch) => {
      if (batch.some(({ trade }) => bad.has(trade)))
        throw new AppError('DATA_POINT_INVALID', 'The time is out of range');
    };
    accept(trades);
    await clock.advance(100);
    const { refused, refusedSample } = recorder.status().trades;
    expect([refused, refusedSample.length]).toEqual([50, 20]);
    expect(refusedSample.at(-1)?.what).toContain(trades[49]?.tradeId);
  });

  it('gives rows the benefit of the doubt while nothing at all is stored', async () => {
    const { clock, store, accept, published, recorder } = openRecorder();
    let failing = true;
    store.beforeWrite = () => {
      if (failing) throw new Error('relation "trades" does not exist');
    };
    const trades = someTrades(8);
    accept(trades);
    await clock.advance(300);
    expect(recorder.status().trades).toMatchObject({ state: 'WAITING_FOR_DATABASE', refused: 0, queued: 8 });
    failing = false;
    await clock.advance(2_000);
    expect(storedIds(published)).toEqual(ids(trades));
  });

  it('serves market data live at once and stores samples of it', async () => {
    const { clock, samples, liveFeed, recorder } = openRecorder();
    const stale = aBook({ validity: 'STALE' });
    const ticker = aTicker();
    for (const event of [stale, ticker, ticker]) recorder.accept(event, { storeRaw: true });
    expect(liveFeed.latest('orderbook', 'okx', 'BTC-USDT')).toBe(stale);
    await clock.advance(1_000);
    expect(samples).toEqual([ticker]);
  });

  it('goes on storing trades while market data cannot be stored, and lets the oldest samples go', async () => {
    const { clock, samples, marketData, recorder, store, accept, queues } = openRecorder({
      samplingOf: () => ({ ticker: 0, orderbook: 0, formingCandles: true, bookLevels: 25 }),
    });
    marketData.failure = unavailable();
    const tickers = Array.from({ length: 10_000 }, (_, exchangeTime) => aTicker({ exchangeTime }));
    recorder.accept(aTicker({ exchangeTime: -1 }), { storeRaw: true });
    await clock.advance(500);
    for (const ticker of tickers) recorder.accept(ticker, { storeRaw: true });
    accept(someTrades(5));
    await clock.advance(1_000);
    expect(store.log).toHaveLength(5);
    marketData.failure = null;
    await clock.advance(10_000);
    expect(samples).toEqual([aTicker({ exchangeTime: -1 }), ...tickers.slice(-8_192)]);
    expect(queues.list().find(({ name }) => name === 'market data samples')).toMatchObject({
      in: 10_001,
      dropped: 1_808,
      out: 8_193,
      held: 0,
    });
  });

  it('stores everything it took before it is gone', async () => {
    const { clock, store, recorder, accept, samples, queues } = openRecorder();
    const trades = someTrades(5_000);
    accept(trades);
    recorder.accept(aTicker({ exchangeTime: 1 }), { storeRaw: true });
    recorder.accept(aTicker({ exchangeTime: 2 }), { storeRaw: true });
    const disposed = recorder[Symbol.asyncDispose]();
    await clock.advance(200);
    await disposed;
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(samples).toHaveLength(2);
    expect(accept(someTrades(1))).toEqual([false]);
    expect(clock.sleepers).toBe(0);
    for (const { in: taken, out, dropped, held } of queues.list()) expect(taken).toBe(out + dropped + held);
  });

  it('gives up at the deadline when the database stays away', async () => {
    const { clock, store, recorder, accept } = openRecorder({ drainMs: 3_000 });
    store.beforeWrite = () => {
      throw unavailable();
    };
    accept(someTrades(10));
    const disposed = recorder[Symbol.asyncDispose]();
    await clock.advance(3_000);
    await disposed;
    await turns();
    expect(store.log).toEqual([]);
    expect(clock.sleepers).toBe(0);
  });
});
