import { setImmediate as turns } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { StreamTail, Stretch } from '../../src/market/coverage.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import type { LiveEvent } from '../../src/pipeline/live/live-event.ts';
import { LiveFeed } from '../../src/pipeline/live/live-feed.ts';
import { Recorder, type RecorderOptions } from '../../src/pipeline/recorder.ts';
import { DEFAULT_DELIVERY } from '../../src/pipeline/stream/delivery.ts';
import { QueueRegistry } from '../../src/runtime/bounded-queue.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { aBook, aTicker } from './market-data.ts';
import { MemorySpool, spoolFull } from './memory-spool.ts';
import { aTrade, MemoryTradeStore, outOfRange, someTrades } from './memory-trade-store.ts';

type Options = RecorderOptions & {
  readonly spool?: MemorySpool;
  readonly store?: MemoryTradeStore;
  readonly shared?: () => boolean;
  readonly clock?: ManualClock;
};

async function openRecorder({
  spool = new MemorySpool(),
  store = new MemoryTradeStore(),
  shared,
  clock = new ManualClock(),
  ...options
}: Options = {}) {
  const samples: LiveEvent[] = [];
  const marketData = {
    failure: null as Error | null,
    tails: [] as StreamTail[],
    insert: async (events: readonly LiveEvent[], tails: readonly StreamTail[]) => {
      if (marketData.failure) throw marketData.failure;
      if (events.some((event) => marketData.refuses(event))) throw new Error('error 22003: value out of range');
      samples.push(...events);
      marketData.tails.push(...tails);
    },
    refuses: (_event: LiveEvent) => false,
    ends: async () => [],
  };
  const queues = new QueueRegistry();
  const gate = new Gate();
  const tradeFeed = new TradeFeed({ history: store, clock, position: store.positions });
  const liveFeed = new LiveFeed({ clock, queues });
  const broken: unknown[] = [];
  const published: RecordedTrade[] = [];
  const stream = tradeFeed.subscribe({ filter: {}, after: null, delivery: DEFAULT_DELIVERY });
  void (async () => {
    for await (const batch of stream) published.push(...batch.trades);
  })();
  const recorder = await Recorder.open(
    {
      ...{ spool, trades: store, marketData, tradeFeed, liveFeed, gate, queues, clock },
      ...{ random: () => 0.5, log: silentLog, foreignSpool: false, hasTradeIds: () => true },
      shared: shared ?? (() => false),
      broken: (error) => broken.push(error),
    },
    options,
  );
  const accept = (trades: readonly Trade[]) => trades.map((trade) => recorder.accept(trade, { storeRaw: true }));
  const things = { clock, spool, store, samples, marketData, queues, gate, tradeFeed, liveFeed };
  return { ...things, recorder, accept, published, broken };
}

const ids = (trades: readonly { readonly tradeId: string }[]) => trades.map(({ tradeId }) => tradeId);
const storedIds = (recorded: readonly RecordedTrade[]) => ids(recorded.map(({ trade }) => trade));
const unavailable = () => new AppError('DATABASE_UNAVAILABLE', 'The database does not answer');

/** A stretch of a ledger in one line. */
const inLine = ({ status, first, last, actual }: Stretch) => `${status} ${first}..${last} (${actual})`;
const ledgerOf = (store: MemoryTradeStore) => store.stretches().map(inLine);

describe('Recorder', () => {
  it("shows a trade's payload only where it is stored, as whoever reads it back will see it", async () => {
    const { clock, recorder, published } = await openRecorder();
    const raw = { px: '30000.5' };
    recorder.accept(aTrade({ raw }), { storeRaw: true });
    recorder.accept(aTrade({ raw }), { storeRaw: false });
    await clock.advance(20);
    expect(published.map(({ trade }) => trade.raw)).toEqual([raw, null]);
  });

  it('makes trades durable in the order they came, then shows them, then commits them in batches, one at a time', async () => {
    const { clock, spool, store, tradeFeed, accept, published } = await openRecorder({ maxRows: 100 });
    const shown = () => Number(tradeFeed.position.get(store.writer) ?? 0n);
    const batches: number[] = [];
    const durable: number[] = [];
    spool.sync = async () => {
      durable.push(shown() - spool.rows.length * 100); // nothing is shown before it is durable
    };
    store.beforeWrite = (batch) => {
      batches.push(batch.length);
      expect(shown()).toBeGreaterThanOrEqual(store.log.length + batch.length);
    };
    const trades = someTrades(250);
    expect(accept(trades)).toEqual(trades.map(() => true));
    await clock.advance(20);
    expect(batches).toEqual([100, 150]); // what becomes durable during the first commit goes together
    expect(durable).toEqual([0, 0, 0]);
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(published).toEqual(store.log);
    expect(published.map(({ sequence }) => sequence)).toEqual(trades.map((_, at) => BigInt(at + 1)));
  });

  it('makes a lone trade durable at once, and those soon after it together', async () => {
    const { clock, spool, accept } = await openRecorder({ lingerMs: 4 });
    accept(someTrades(1));
    await clock.advance(0);
    expect(spool.appends).toBe(1);
    accept([aTrade({ tradeId: '2' })]);
    await clock.advance(2);
    accept([aTrade({ tradeId: '3' })]);
    expect(spool.appends).toBe(1);
    await clock.advance(2);
    expect(spool.appends).toBe(2);
  });

  it('passes provenance and the wish to keep the payload on', async () => {
    const { clock, store, recorder } = await openRecorder();
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

  it('cryptofeed #336, cryptostore #53: goes on showing trades while the database is away, and then stores each once, in order', async () => {
    const { clock, store, recorder, accept, published } = await openRecorder();
    store.beforeWrite = () => {
      throw unavailable();
    };
    const trades = someTrades(30);
    accept(trades.slice(0, 10));
    await clock.advance(10_000);
    accept(trades.slice(10));
    await clock.advance(2_000);
    expect(storedIds(published)).toEqual(ids(trades));
    expect(recorder.status().trades).toMatchObject({
      state: 'SPOOLING',
      reason: expect.stringMatching(
        /^The database has not taken trades for 1\d\.\d s: .* committed as soon as it does; 30 trades wait in the spool/,
      ),
      drain: { spooled: 30, lastError: { message: 'The database does not answer' } },
    });
    store.beforeWrite = () => {};
    await clock.advance(2_000);
    expect(store.log).toEqual(published);
    expect(recorder.status().trades).toMatchObject({
      state: 'STORING',
      reason: 'All trades are stored',
      drain: { spooled: 0, oldestMs: null },
    });
  });

  it('reads back from the spool what no longer fits in memory while the database is away', async () => {
    const { clock, store, accept, published } = await openRecorder({ tradeCapacity: 200_000 });
    store.beforeWrite = () => {
      throw unavailable();
    };
    const trades = someTrades(70_000);
    for (let at = 0; at < trades.length; at += 10_000) {
      accept(trades.slice(at, at + 10_000));
      await clock.advance(100);
    }
    store.beforeWrite = () => {};
    await clock.advance(5_000);
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(store.log.map(({ sequence }) => sequence)).toEqual(published.map(({ sequence }) => sequence));
  });

  it('backs off with jitter, to two seconds at most', async () => {
    const { clock, store, accept } = await openRecorder({ lingerMs: 0 });
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

  it('stores and shows once what a commit of unknown outcome had stored', async () => {
    const { clock, store, accept, published } = await openRecorder();
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

  it('goes on where a killed process ended: what was durable is shown and stored, under its numbers', async () => {
    const [spool, store] = [new MemorySpool(), new MemoryTradeStore()];
    const killed = await openRecorder({ spool, store });
    const trades = someTrades(20);
    killed.accept(trades.slice(0, 5));
    await killed.clock.advance(100);
    store.beforeWrite = () => {
      throw unavailable();
    };
    killed.accept(trades.slice(5));
    await killed.clock.advance(100);
    expect(killed.published).toHaveLength(20);
    store.beforeWrite = () => {};
    const next = await openRecorder({ spool, store });
    await next.clock.advance(100);
    expect(store.log).toEqual(killed.published);
    expect(next.published).toEqual(killed.published.slice(5));
    next.accept([...trades, ...someTrades(1)]);
    await next.clock.advance(100);
    expect(store.log.map(({ sequence }) => sequence)).toEqual(store.log.map((_, at) => BigInt(at + 1)));
    expect(next.recorder.status().trades.intake.repeated).toBe(20);
  });

  it('lets go of what was committed half a minute ago, but for the newest batch, which tells what numbers are out', async () => {
    const [spool, store] = [new MemorySpool(), new MemoryTradeStore()];
    const { clock, accept } = await openRecorder({ spool, store });
    const trades = someTrades(6);
    for (const trade of trades.slice(0, 5)) {
      accept([trade]);
      await clock.advance(100);
    }
    expect(spool.rows).toHaveLength(5);
    await clock.advance(60_000);
    expect(spool.rows.map(({ number }) => number)).toEqual([5]);
    store.forget(2n, []);
    const next = await openRecorder({ spool, store });
    next.accept(trades.slice(5));
    await next.clock.advance(100);
    expect(next.published.map(({ sequence }) => sequence)).toEqual([5n, 6n]);
  });

  it('commits again what a failover lost and the spool still has', async () => {
    const { clock, store, accept, published } = await openRecorder();
    accept(someTrades(5));
    await clock.advance(100);
    const before = store.stretches();
    accept(someTrades(5));
    await clock.advance(100);
    store.forget(5n, before);
    store.beforeWrite = () => {
      store.beforeWrite = () => {};
      throw new AppError('WRITER_BEHIND', 'The database stands at sequence 5');
    };
    accept(someTrades(1));
    await clock.advance(2_000);
    expect(store.log).toEqual(published);
    expect(ledgerOf(store)).toEqual([`PROVEN ${published[0]?.trade.tradeId}..${published[10]?.trade.tradeId} (11)`]);
  });

  it('takes what a failover lost for missing where the spool has let go of it too', async () => {
    const { clock, spool, store, accept, published, recorder } = await openRecorder();
    const trades = someTrades(12);
    accept(trades.slice(0, 5));
    await clock.advance(100);
    const before = store.stretches();
    accept(trades.slice(5, 10));
    await clock.advance(100);
    await spool.discard(2);
    store.forget(5n, before);
    store.beforeWrite = () => {
      store.beforeWrite = () => {};
      throw new AppError('WRITER_BEHIND', 'The database stands at sequence 5');
    };
    accept(trades.slice(10, 11));
    await clock.advance(2_000);
    accept(trades.slice(11));
    await clock.advance(100);
    const [first, lost, after] = [trades[0], trades[5], trades[10]].map((trade) => BigInt(trade?.tradeId ?? 0));
    expect(ledgerOf(store)).toEqual([
      `PROVEN ${first}..${(lost ?? 0n) - 1n} (5)`,
      `GAP ${lost}..${(after ?? 0n) - 1n} (0)`,
      `PROVEN ${after}..${(after ?? 0n) + 1n} (2)`,
    ]);
    expect(recorder.gaps.openGaps('okx', 'BTC-USDT')).toHaveLength(1);
    expect(published).toHaveLength(12);
  });

  it('takes what a failover lost for missing, and tells of it, where the spool holds nothing of it', async () => {
    const { clock, spool, store, accept, recorder } = await openRecorder();
    const trades = someTrades(6);
    accept(trades.slice(0, 3));
    await clock.advance(100);
    const before = store.stretches();
    accept(trades.slice(3, 5));
    await clock.advance(100);
    await spool.discard(2);
    store.forget(3n, before);
    const told: string[] = [];
    recorder.gaps.onChange(({ first, status }) => told.push(`${status} ${first}`));
    store.beforeWrite = () => {
      store.beforeWrite = () => {};
      throw new AppError('WRITER_BEHIND', 'The database stands at sequence 3');
    };
    const [first, lost] = [trades[0], trades[3]].map((trade) => BigInt(trade?.tradeId ?? 0));
    recorder.gaps.declare(
      'okx',
      'BTC-USDT',
      { first: (first ?? 0n) - 1n, last: (first ?? 0n) - 1n },
      {
        ...{ from: 0, to: 0, cause: 'somebody asked' },
      },
    );
    await clock.advance(2_000);
    accept(trades.slice(5));
    await clock.advance(100);
    expect(told).toContain(`GAP ${lost}`);
    expect(ledgerOf(store)).toEqual([
      `GAP ${(first ?? 0n) - 1n}..${(first ?? 0n) - 1n} (0)`,
      `PROVEN ${first}..${(lost ?? 0n) - 1n} (3)`,
      `GAP ${lost}..${(lost ?? 0n) + 1n} (0)`,
      `PROVEN ${(lost ?? 0n) + 2n}..${(lost ?? 0n) + 2n} (1)`,
    ]);
  });

  it('takes no row for bad because of trouble it does not know, and waits until that is over', async () => {
    const { clock, store, accept, recorder } = await openRecorder();
    store.beforeWrite = () => {
      throw Object.assign(new Error('error 0A000: cached plan must not change result type'), { code: '0A000' });
    };
    const trades = someTrades(5);
    accept(trades);
    await clock.advance(60_000);
    expect(recorder.status().trades).toMatchObject({ state: 'SPOOLING', drain: { refused: 0, batches: 1 } });
    store.beforeWrite = () => {};
    await clock.advance(3_000);
    expect(storedIds(store.log)).toEqual(ids(trades));
  });

  it('shows only what was committed as ours while another server writes too', async () => {
    const store = new MemoryTradeStore();
    const { clock, accept, published } = await openRecorder({ store, shared: () => true });
    const trades = someTrades(3);
    store.commit(9, trades.slice(1, 2));
    accept(trades);
    await clock.advance(100);
    expect(storedIds(published)).toEqual(ids([trades[0], trades[2]].flatMap((trade) => trade ?? [])));
  });

  it('shows what a killed process left only once it is committed as ours while another server writes too', async () => {
    const [spool, store] = [new MemorySpool(), new MemoryTradeStore()];
    const killed = await openRecorder({ spool, store, shared: () => true });
    const trades = someTrades(4);
    store.beforeWrite = () => {
      throw unavailable();
    };
    killed.accept(trades.slice(0, 3));
    await killed.clock.advance(100);
    expect(killed.published).toEqual([]);
    store.beforeWrite = () => {};
    store.commit(9, trades.slice(1, 2));
    const { clock, accept, published } = await openRecorder({ spool, store, shared: () => true });
    accept(trades.slice(3));
    await clock.advance(3_000);
    expect(storedIds(published)).toEqual(ids([trades[0], trades[2], trades[3]].flatMap((trade) => trade ?? [])));
  });

  it('holds sockets back while the spool is full, says so, and loses nothing of what it took', async () => {
    const { clock, spool, store, gate, accept, recorder } = await openRecorder();
    spool.failure = spoolFull();
    const trades = someTrades(10);
    accept(trades);
    await clock.advance(3_000);
    expect(gate.open).toBe(false);
    expect(recorder.status().trades).toMatchObject({ state: 'FULL', reason: expect.stringContaining('full for') });
    spool.failure = null;
    await clock.advance(1_000);
    expect(gate.open).toBe(true);
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(recorder.status().trades.state).toBe('STORING');
  });

  it('gives up on a disk of which nobody knows what it holds', async () => {
    const { clock, spool, accept, broken, published } = await openRecorder();
    spool.failure = new AppError('SPOOL_UNAVAILABLE', 'fsync failed');
    accept(someTrades(1));
    await clock.advance(100);
    expect(broken).toEqual([spool.failure]);
    expect(published).toEqual([]);
  });

  it('closes the gate before the queue is full and opens it when there is room again', async () => {
    const { clock, spool, gate, accept, recorder, store } = await openRecorder({ tradeCapacity: 100, maxRows: 10 });
    const disk = Promise.withResolvers<void>();
    spool.sync = () => disk.promise;
    accept(someTrades(1));
    await clock.advance(10);
    expect(accept(someTrades(49))).not.toContain(false);
    expect(gate.open).toBe(true);
    accept(someTrades(1));
    expect(gate.open).toBe(false);
    expect(gate.closedBy).toEqual(['trades waiting for the spool']);
    expect(accept(someTrades(50))).not.toContain(false);
    expect(accept(someTrades(3))).toEqual([false, false, false]);
    expect(recorder.status().trades.intake.turnedAway).toBe(3);
    disk.resolve();
    await clock.advance(2_000);
    expect(gate.open).toBe(true);
    expect(store.log).toHaveLength(101);
  });

  it('takes what is said of trades in the order it is said, within the same bound', async () => {
    const { clock, spool, accept, recorder, store, queues } = await openRecorder({ tradeCapacity: 2 });
    const disk = Promise.withResolvers<void>();
    spool.sync = () => disk.promise;
    const [first = aTrade()] = someTrades(1);
    const id = BigInt(first.tradeId);
    accept([first]);
    await clock.advance(10);
    const about = { from: 0, to: 0, cause: 'somebody asked' };
    const declare = (at: bigint) => recorder.gaps.declare('okx', 'BTC-USDT', { first: at, last: at }, about);
    expect([declare(id - 2n), declare(id - 4n)]).toEqual([1n, 1n]);
    expect(() => declare(id - 6n)).toThrow(expect.objectContaining({ code: 'BACKFILL_REFUSED' }));
    expect(queues.list().find(({ name }) => name === 'trades')).toMatchObject({ held: 2, dropped: 1 });
    disk.resolve();
    await clock.advance(100);
    expect(ledgerOf(store).filter((line) => line.startsWith('GAP'))).toHaveLength(2);
  });

  it('takes a trade that was turned away when it comes again', async () => {
    const { clock, store, accept } = await openRecorder({ tradeCapacity: 1 });
    const [first = aTrade(), second = aTrade()] = someTrades(2);
    expect(accept([first, second])).toEqual([true, false]);
    await clock.advance(10);
    expect(accept([second])).toEqual([true]);
    await clock.advance(10);
    expect(storedIds(store.log)).toEqual(ids([first, second]));
  });

  it('ccxt #28385, bbgo #1941: stores and shows a trade once however often and late it comes', async () => {
    const { clock, store, accept, recorder, published } = await openRecorder();
    const trades = someTrades(3_000);
    accept(trades);
    await clock.advance(100);
    accept(trades.toReversed());
    await clock.advance(100);
    expect(recorder.status().trades.intake.repeated).toBe(3_000);
    expect(storedIds(store.log)).toEqual(ids(trades));
    expect(published).toEqual(store.log);
  });

  it('stores of a packed trade only the fills that are not here, with their exact size', async () => {
    const { clock, store, accept } = await openRecorder();
    const [a, b, c] = someTrades(3, { size: decimal('0.1') });
    if (!a || !b || !c) throw new Error('three trades');
    accept([a, b]);
    await clock.advance(10);
    accept([{ ...c, fillCount: 3, size: decimal('0.35') }, a, c]);
    await clock.advance(10);
    expect(store.log.map(({ trade }) => [trade.tradeId, trade.fillCount, trade.size])).toEqual([
      [a.tradeId, 1, '0.1'],
      [b.tradeId, 1, '0.1'],
      [c.tradeId, 1, '0.15'],
    ]);
    expect(ledgerOf(store)).toEqual([`PROVEN ${a.tradeId}..${c.tradeId} (3)`]);
  });

  it('cryptofeed #797: knows from the ids alone what is missing, tells, and closes the gap as it is filled', async () => {
    const { clock, store, recorder, accept } = await openRecorder();
    const trades = someTrades(10);
    const told: string[] = [];
    recorder.gaps.onChange((gap) => told.push(`${gap.status} ${gap.filled}/${gap.expected}`));
    accept([...trades.slice(0, 3), ...trades.slice(7)]);
    await clock.advance(10);
    expect(recorder.gaps.openGaps('okx', 'BTC-USDT')).toMatchObject([
      { first: BigInt(trades[3]?.tradeId ?? 0), last: BigInt(trades[6]?.tradeId ?? 0) },
    ]);
    expect(recorder.gaps.openCount).toBe(1);
    for (const trade of trades.slice(5, 7)) recorder.accept(trade, { storeRaw: true, provenance: 'BACKFILL' });
    await clock.advance(10);
    await recorder.gaps.settled();
    const third = BigInt(trades[3]?.tradeId ?? 0);
    recorder.gaps.giveUp('okx', 'BTC-USDT', { first: third, last: third }, 'older than the exchange keeps');
    await clock.advance(10);
    recorder.accept(trades[4] ?? aTrade(), { storeRaw: true, provenance: 'BACKFILL' });
    await clock.advance(10);
    expect(told).toEqual(['GAP 0/4', 'GAP 2/4', 'GAP 2/4', 'UNFILLABLE 3/4']);
    expect(recorder.gaps.openCount).toBe(0);
    expect(ledgerOf(store).map((line) => line.split(' ')[0])).toEqual(['PROVEN', 'UNFILLABLE', 'BACKFILLED', 'PROVEN']);
  });

  it('pyth-crosschain #3977: takes a quiet hour for what it is', async () => {
    const { clock, store, accept, recorder } = await openRecorder();
    const [before, after] = someTrades(2);
    accept([before ?? aTrade()]);
    await clock.advance(3_600_000);
    accept([after ?? aTrade()]);
    await clock.advance(10);
    expect(recorder.gaps.openCount).toBe(0);
    expect(ledgerOf(store)).toEqual([`PROVEN ${before?.tradeId}..${after?.tradeId} (2)`]);
  });

  it('sets aside the rows the database never takes, says that they are missing, and stores their neighbours in order', async () => {
    const { clock, store, accept, recorder } = await openRecorder();
    const trades = someTrades(300);
    const bad = new Set([trades[1], trades[137], trades[138], trades[298]].map((trade) => trade?.tradeId));
    store.beforeWrite = (batch) => {
      if (batch.some(({ trade }) => bad.has(trade.tradeId))) throw outOfRange();
    };
    accept(trades);
    await clock.advance(100);
    const good = trades.filter(({ tradeId }) => !bad.has(tradeId));
    expect(storedIds(store.log)).toEqual(ids(good));
    const { refused, refusedSample } = recorder.status().trades.drain;
    expect(refused).toBe(4);
    expect(refusedSample[1]).toMatchObject({
      what: `okx:BTC-USDT trade ${trades[137]?.tradeId}`,
      reason: 'error 22003: value out of range',
    });
    expect(store.quarantined).toHaveLength(4);
    const [first, last] = [trades[0], trades[299]].map((trade) => BigInt(trade?.tradeId ?? 0));
    const at = (index: number) => (first ?? 0n) + BigInt(index);
    const expected = [
      `PROVEN ${first}..${first} (1)`,
      `UNFILLABLE ${at(1)}..${at(1)} (0)`,
      `PROVEN ${at(2)}..${at(136)} (135)`,
      `UNFILLABLE ${at(137)}..${at(137)} (0)`,
      `UNFILLABLE ${at(138)}..${at(138)} (0)`,
      `PROVEN ${at(139)}..${at(297)} (159)`,
      `UNFILLABLE ${at(298)}..${at(298)} (0)`,
      `PROVEN ${last}..${last} (1)`,
    ];
    expect(ledgerOf(store)).toEqual(expected);
    accept([trades[137] ?? aTrade()]);
    await clock.advance(10_000);
    expect(recorder.gaps.openCount).toBe(0);
  });

  it('keeps no more than twenty of the rows the database refused', async () => {
    const { clock, store, accept, recorder } = await openRecorder();
    const trades = someTrades(60);
    const bad = new Set(trades.slice(0, 50).map(({ tradeId }) => tradeId));
    store.beforeWrite = (batch) => {
      if (batch.some(({ trade }) => bad.has(trade.tradeId))) throw outOfRange();
    };
    accept(trades);
    await clock.advance(100);
    const { refused, refusedSample } = recorder.status().trades.drain;
    expect([refused, refusedSample.length]).toEqual([50, 20]);
    expect(refusedSample.at(-1)?.what).toContain(trades[49]?.tradeId);
  });

  it('says of a trade that no row can hold that it is missing, and goes on', async () => {
    const { clock, store, accept, recorder } = await openRecorder();
    const [a, b, c] = someTrades(3);
    accept([a ?? aTrade(), { ...(b ?? aTrade()), exchangeTime: Number.NaN }, c ?? aTrade()]);
    await clock.advance(100);
    expect(ledgerOf(store).map((line) => line.split(' ')[0])).toEqual(['PROVEN', 'UNFILLABLE', 'PROVEN']);
    expect(recorder.status().trades.intake.unfit).toBe(1);
  });

  it('serves market data live at once and stores samples of it', async () => {
    const { clock, samples, liveFeed, recorder } = await openRecorder();
    const stale = aBook({ validity: 'STALE' });
    const ticker = aTicker();
    for (const event of [stale, ticker, ticker]) recorder.accept(event, { storeRaw: true });
    expect(liveFeed.latest('orderbook', 'okx', 'BTC-USDT')).toBe(stale);
    await clock.advance(1_000);
    expect(samples).toEqual([ticker]);
  });

  it('goes on storing trades while market data cannot be stored, and lets the oldest samples go', async () => {
    const { clock, samples, marketData, recorder, store, accept, queues } = await openRecorder({
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

  it('claims no coverage of the time whose samples it had to let go, or the database refused', async () => {
    const { clock, marketData, recorder } = await openRecorder({
      samplingOf: () => ({ ticker: 0, orderbook: 0, formingCandles: true, bookLevels: 25 }),
    });
    const start = clock.now();
    const stream = { exchange: 'okx', symbol: 'BTC-USDT', dataType: 'ticker' } as const;
    const say = (ms: number) => recorder.accept(aTicker({ receivedAt: start + ms }), { storeRaw: true });
    recorder.streams.carried(stream, start);
    marketData.failure = unavailable();
    say(0);
    await clock.advance(500); // this one is on its way to the database
    for (let ms = 1_001; ms <= 10_000; ms++) say(ms);
    await clock.advance(10_000);
    marketData.failure = null;
    marketData.refuses = ({ receivedAt }) => receivedAt === start + 5_000;
    await clock.advance(10_000);
    const last = marketData.tails.at(-1);
    const all = new Map(marketData.tails.flatMap(({ stretches }) => stretches.map((one) => [one.first, one])));
    const said = [...all.values()]
      .toSorted((a, b) => Number(a.first - b.first))
      .map((one) => `${one.status} ${Number(one.first) - start}..${Number(one.last) - start} ${one.cause}`);
    expect(last?.stretches.at(-1)?.last).toBeGreaterThan(start + 10_000);
    expect(said.slice(0, 4)).toEqual([
      'UNPROVEN 0..1000 null',
      'UNFILLABLE 1001..1808 the database was away, and more samples came than could wait for it',
      'UNPROVEN 1809..4999 null',
      'UNFILLABLE 5000..5000 the database refused the row',
    ]);
    expect(said).toHaveLength(5);
  });

  it('stores everything it took before it is gone', async () => {
    const { clock, store, recorder, accept, samples, queues } = await openRecorder();
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

  it('leaves in the spool what the database does not take before the deadline', async () => {
    const { clock, spool, store, recorder, accept } = await openRecorder({ drainMs: 3_000 });
    store.beforeWrite = () => {
      throw unavailable();
    };
    accept(someTrades(10));
    await clock.advance(10);
    const disposed = recorder[Symbol.asyncDispose]();
    await clock.advance(3_000);
    await disposed;
    await turns();
    expect(store.log).toEqual([]);
    expect(spool.rows).toHaveLength(1);
    expect(recorder.status().trades.drain.spooled).toBe(10);
    expect(clock.sleepers).toBe(0);
  });
});

describe('what was recorded by a time', () => {
  it('is waited for until it is stored, and only that', async () => {
    const { clock, store, recorder, accept } = await openRecorder();
    let isAway = true;
    store.beforeWrite = () => {
      if (isAway) throw unavailable();
    };
    await clock.advance(5_000);
    accept(someTrades(3));
    await clock.advance(100);
    const known: string[] = [];
    void recorder.storedUpTo(clock.now() - 4_000).then(() => known.push('before'));
    void recorder.storedUpTo(clock.now()).then(() => known.push('now'));
    await clock.advance(500);
    expect(known).toEqual(['before']);
    isAway = false;
    await clock.advance(1_000);
    expect(known).toEqual(['before', 'now']);
    expect(store.log).toHaveLength(3);
  });

  it('is waited for also when the spool takes long to take it', async () => {
    const { clock, spool, recorder, accept } = await openRecorder();
    const disk = Promise.withResolvers<void>();
    spool.sync = () => disk.promise;
    accept(someTrades(1));
    await clock.advance(100);
    const recordedBy = clock.now();
    await clock.advance(5_000);
    let isKnown = false;
    void recorder.storedUpTo(recordedBy).then(() => {
      isKnown = true;
    });
    await clock.advance(500);
    expect(isKnown).toBe(false);
    disk.resolve();
    await clock.advance(500);
    expect(isKnown).toBe(true);
  });

  it('is waited for also when it was slow to become durable, or waits longer than an earlier process lived', async () => {
    const spool = new MemorySpool();
    const disk = Promise.withResolvers<void>();
    spool.sync = () => disk.promise;
    const first = await openRecorder({ spool, drainMs: 100 });
    first.store.beforeWrite = () => {
      throw unavailable();
    };
    const { clock } = first;
    const recordedBy = clock.now() + 100;
    first.accept(someTrades(1));
    await clock.advance(5_000);
    disk.resolve();
    await clock.advance(100);
    const known: string[] = [];
    const ask = ({ recorder }: Pick<typeof first, 'recorder'>, who: string) =>
      void recorder.storedUpTo(recordedBy).then(
        () => known.push(who),
        () => {},
      );
    ask(first, 'this process');
    await clock.advance(1_000);
    const disposed = first.recorder[Symbol.asyncDispose]();
    await clock.advance(60_000);
    await disposed;
    const next = await openRecorder({ spool, store: first.store, clock });
    ask(next, 'the next one');
    await clock.advance(1_000);
    expect(known).toEqual([]);
  });

  it('is waited for also when it is read back from the spool', async () => {
    const { clock, store, recorder, accept } = await openRecorder({ tradeCapacity: 131_072 });
    let writes = 0;
    store.beforeWrite = () => {
      if (writes === 0) throw unavailable();
      writes -= 1;
    };
    const made = someTrades(68_000);
    accept(made.slice(0, 66_000));
    await clock.advance(100);
    accept(made.slice(66_000));
    await clock.advance(10);
    const recordedBy = clock.now();
    await clock.advance(60_000);
    expect(recorder.status().trades.drain.spooled).toBe(68_000);
    writes = 9; // all that memory holds, four batches each
    await clock.advance(3_000);
    expect(recorder.status().trades.drain.spooled).toBeLessThan(4_000);
    let isKnown = false;
    void recorder.storedUpTo(recordedBy).then(
      () => {
        isKnown = true;
      },
      () => {},
    );
    await clock.advance(500);
    expect(isKnown).toBe(false);
  });

  it('is refused with a code when it is not stored soon', async () => {
    const { clock, store, recorder, accept } = await openRecorder();
    store.beforeWrite = () => {
      throw unavailable();
    };
    accept(someTrades(1));
    const asked = recorder.storedUpTo(clock.now()).catch((error: unknown) => error);
    await clock.advance(3_000);
    expect(await asked).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('is not stored yet'),
    });
  });
});
