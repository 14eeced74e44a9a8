import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, decimal } from '../../../src/market/decimal.ts';
import type { RecordedTrade } from '../../../src/market/recorded-trade.ts';
import { tradeCursors } from '../../../src/pipeline/feed/cursor.ts';
import { TradeFeed } from '../../../src/pipeline/feed/trade-feed.ts';
import { type TradeFilter, tradeMatcher } from '../../../src/pipeline/feed/trade-filter.ts';
import type { TradeBatch } from '../../../src/pipeline/feed/trade-request.ts';
import type { Delivery, DeliveryMode } from '../../../src/pipeline/stream/delivery.ts';
import type { Stream } from '../../../src/pipeline/stream/stream.ts';
import type { Position } from '../../../src/storage/trades.ts';
import { ManualClock, turn } from '../../support/manual-clock.ts';
import { aTrade, MemoryTradeStore } from '../memory-trade-store.ts';

const CAPACITY = 8;
const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'];

const filters = fc.record<TradeFilter>({
  exchange: fc.constantFrom('okx', null),
  symbols: fc.constantFrom(null, ['BTC-USDT'], ['ETH-USDT', 'SOL-USDT']),
  side: fc.constantFrom('buy' as const, 'sell' as const, null),
  minSize: fc.constantFrom(null, decimal('2')),
});

const trades = fc.record({
  exchange: fc.constantFrom('okx', 'binance'),
  symbol: fc.constantFrom(...SYMBOLS),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  size: fc.constantFrom(...(['1', '2.0', '3'] as Decimal[])),
  exchangeTime: fc.nat(50),
});

const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      writer: fc.constantFrom(1, 2),
      trades: fc.array(trades, { minLength: 1, maxLength: 12, size: 'max' }),
      /** Numbers left out before each of the first trades. */
      holes: fc.array(fc.constantFrom(0, 0, 1, 40), { maxLength: 12 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('publish' as const), writer: fc.constantFrom(1, 2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pull' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(5, 40, 1_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), writer: fc.constant(2) }) },
);

const deliveries = (mode: DeliveryMode) =>
  fc.record<Delivery>({
    mode: fc.constant(mode),
    maxBatchMs: fc.constantFrom(0, 20),
    maxPerSecond: fc.constantFrom(null, 50),
  });

/** A client that keeps its cursor and everything it was told. */
class Client {
  readonly received: RecordedTrade[] = [];
  missed = 0;
  conflated = 0;
  largest = 0;
  position: Position;
  readonly #feed: TradeFeed;
  readonly #filter: TradeFilter;
  readonly #delivery: Delivery;
  #stream: Stream<TradeBatch>;
  #waits = false;

  constructor(feed: TradeFeed, filter: TradeFilter, delivery: Delivery) {
    this.#feed = feed;
    this.#filter = filter;
    this.#delivery = delivery;
    this.position = feed.position;
    this.#stream = feed.subscribe({ filter, after: null, delivery });
  }

  pull(): void {
    if (this.#waits) return;
    this.#waits = true;
    const stream = this.#stream;
    void stream.next().then(({ value }) => {
      if (stream !== this.#stream) return;
      this.#waits = false;
      if (!value) return;
      expect([...value.before]).toEqual([...this.position]);
      this.received.push(...value.trades);
      this.conflated += value.conflated;
      for (const notice of value.notices) if (notice.type === 'LAGGED') this.missed += notice.missed;
      this.position = value.position;
      this.largest = Math.max(this.largest, value.trades.length);
    });
  }

  reconnect(): void {
    void this.#stream.return();
    const cursors = tradeCursors(this.#filter);
    const after = cursors.decode(cursors.encode(this.position));
    this.position = after;
    this.#stream = this.#feed.subscribe({ filter: this.#filter, after, delivery: this.#delivery });
    this.#waits = false;
  }
}

/** A schedule that never gets there proves nothing; the last test looks. */
const sometimes = { readFromStorage: 0, lagged: 0, conflated: 0, cut: 0, passedOver: 0 };

type Step = typeof steps extends fc.Arbitrary<infer S> ? S : never;

/** Runs a schedule, then lets everybody catch up. What was committed and never published stands for another server's writes. */
async function run(filter: TradeFilter, delivery: Delivery, schedule: readonly Step[], reconnects: boolean) {
  const clock = new ManualClock();
  const store = new MemoryTradeStore();
  store.commit(1, [aTrade(), aTrade()]); // stored before the feed opens
  const feed = new TradeFeed({ history: store, clock, position: store.positions, capacity: CAPACITY });
  const opened = store.log.length;
  const client = new Client(feed, filter, delivery);
  const unpublished = new Map<number, RecordedTrade[]>([
    [1, []],
    [2, []],
  ]);
  const forgotten = new Set<number>();
  /** Whoever publishes knows which numbers are empty, but after trades that were never published. */
  const publish = (writer: number) => {
    const through = forgotten.has(writer) ? null : new Map([[writer, store.positions.get(writer) ?? 0n]]);
    const trades = unpublished.get(writer)?.splice(0) ?? [];
    feed.publish(trades, through);
    if (trades.length > 0) forgotten.delete(writer);
  };
  for (const step of schedule) {
    if (step.do === 'commit')
      for (const [index, fields] of step.trades.entries()) {
        const hole = step.holes[index] ?? 0;
        store.skip(step.writer, hole);
        sometimes.passedOver += hole;
        unpublished.get(step.writer)?.push(...store.commit(step.writer, [aTrade(fields)]));
      }
    if (step.do === 'publish') publish(step.writer);
    if (step.do === 'forget') {
      const lost = unpublished.get(step.writer)?.splice(0).length ?? 0;
      if (lost > 0) forgotten.add(step.writer);
      sometimes.cut += lost;
    }
    if (step.do === 'pull') client.pull();
    if (step.do === 'reconnect' && reconnects) client.reconnect();
    if (step.do === 'pass') await clock.advance(step.ms);
    if (step.do === 'pull') await turn();
    expect(feed.held).toBeLessThanOrEqual(CAPACITY);
  }
  for (const writer of [1, 2]) {
    unpublished.get(writer)?.push(...store.commit(writer, [aTrade()]));
    publish(writer);
  }
  for (let left = 200; left > 0 && !samePosition(client.position, store.positions); left -= 1) {
    client.pull();
    await clock.advance(1_000);
  }
  expect(client.position).toEqual(store.positions);
  sometimes.readFromStorage += store.reads;
  sometimes.lagged += client.missed;
  sometimes.conflated += client.conflated;
  const matches = tradeMatcher(filter);
  const truth = store.log.slice(opened).filter(({ trade }) => matches(trade));
  feed[Symbol.dispose]();
  expect(feed.subscribers).toBe(0);
  return { client, truth };
}

const samePosition = (a: Position, b: Position) => [...b].every(([writer, sequence]) => a.get(writer) === sequence);

const perWriter = (recorded: readonly RecordedTrade[]) =>
  [1, 2].map((writer) => recorded.filter((one) => one.writer === writer).map(({ sequence }) => sequence));

describe('TradeFeed under random schedules', () => {
  it('gives a LOSSLESS client every matching trade once, in order, through laps, disconnects and a second server', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        deliveries('LOSSLESS'),
        fc.array(steps, { maxLength: 80, size: 'max' }),
        async (filter, delivery, schedule) => {
          const { client, truth } = await run(filter, delivery, schedule, true);
          expect(perWriter(client.received)).toEqual(perWriter(truth));
          expect(client.missed + client.conflated).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells a DROP_OLDEST client exactly how many matching trades it missed', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        deliveries('DROP_OLDEST'),
        fc.array(steps, { maxLength: 80, size: 'max' }),
        async (filter, delivery, schedule) => {
          const { client, truth } = await run(filter, delivery, schedule, true);
          expect(client.received.length + client.missed).toBe(truth.length);
          const sequences = perWriter(client.received);
          expect(sequences).toEqual(sequences.map((of) => [...new Set(of)].sort((a, b) => Number(a - b))));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leaves a CONFLATE client with the newest trade of every instrument, and counts the others', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        deliveries('CONFLATE'),
        fc.array(steps, { maxLength: 80, size: 'max' }),
        async (filter, delivery, schedule) => {
          const { client, truth } = await run(filter, delivery, schedule, false);
          expect(client.received.length + client.conflated).toBe(truth.length);
          expect(lastOfEach(client.received)).toEqual(newestOfEach(truth));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('met laps, losses, conflation and holes on the way', () => {
    for (const [what, times] of Object.entries(sometimes)) expect(times, what).toBeGreaterThan(50);
  });
});

const instrument = ({ trade }: RecordedTrade) => `${trade.exchange}:${trade.symbol}`;

const lastOfEach = (recorded: readonly RecordedTrade[]) =>
  new Map(recorded.map((one) => [instrument(one), one.trade.exchangeTime]));

const newestOfEach = (recorded: readonly RecordedTrade[]) =>
  new Map(
    [...Map.groupBy(recorded, instrument)].map(([key, all]) => [
      key,
      Math.max(...all.map(({ trade }) => trade.exchangeTime)),
    ]),
  );
