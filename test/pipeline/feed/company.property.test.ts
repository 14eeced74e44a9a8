import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedTrade } from '../../../src/market/recorded-trade.ts';
import { TradeFeed } from '../../../src/pipeline/feed/trade-feed.ts';
import { type TradeFilter, tradeMatcher } from '../../../src/pipeline/feed/trade-filter.ts';
import type { TradeBatch } from '../../../src/pipeline/feed/trade-request.ts';
import { DEFAULT_DELIVERY } from '../../../src/pipeline/stream/delivery.ts';
import type { Stream } from '../../../src/pipeline/stream/stream.ts';
import type { Position } from '../../../src/storage/trades.ts';
import { gapOf } from '../../graphql/ledger.ts';
import { ManualClock, turn } from '../../support/manual-clock.ts';
import { aTrade, MemoryTradeStore } from '../memory-trade-store.ts';

const CLIENTS = 5;
const FILTERS: readonly TradeFilter[] = [{}, { symbols: ['BTC-USDT'] }];

const clients = fc.nat(CLIENTS - 1);
const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('trade' as const),
      writer: fc.constantFrom<(1 | 2)[]>(1, 2),
      symbols: fc.array(fc.constantFrom('BTC-USDT', 'ETH-USDT'), { minLength: 1, maxLength: 12 }),
      hole: fc.constantFrom(0, 0, 3),
      /** Stored now, and published with the next: storage is ahead of the feed. */
      isLate: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('block' as const), client: clients }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unblock' as const), client: clients }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), client: clients }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), client: clients }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('gap' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 5, 1_000) }) },
);

/** A client that is handed its batches, or asks for each, and now and then takes long. */
class Client {
  received: RecordedTrade[] = [];
  gaps = 0;
  position: Position;
  batches = new Set<TradeBatch>();
  #blocked: PromiseWithResolvers<undefined> | null = null;
  #stream: Stream<TradeBatch> | null = null;
  readonly #feed: TradeFeed;
  readonly #filter: TradeFilter;
  readonly #isHanded: boolean;

  constructor(feed: TradeFeed, filter: TradeFilter, isHanded: boolean) {
    this.#feed = feed;
    this.#filter = filter;
    this.#isHanded = isHanded;
    this.position = feed.position;
    this.#open(null);
  }

  block(): void {
    this.#blocked ??= Promise.withResolvers();
  }

  unblock(): void {
    this.#blocked?.resolve(undefined);
    this.#blocked = null;
  }

  reconnect(): void {
    void this.#stream?.return();
    this.#open(this.position);
  }

  #open(after: Position | null): void {
    const stream = this.#feed.subscribe({ filter: this.#filter, after, delivery: DEFAULT_DELIVERY });
    this.#stream = stream;
    if (this.#isHanded) stream.handTo({ take: (batch) => this.#take(stream, batch), ended: () => {} });
    else void this.#ask(stream);
  }

  async #ask(stream: Stream<TradeBatch>): Promise<void> {
    for await (const batch of stream) await this.#take(stream, batch);
  }

  #take(stream: Stream<TradeBatch>, batch: TradeBatch): Promise<undefined> | undefined {
    if (stream !== this.#stream) return undefined;
    this.received.push(...batch.trades);
    this.gaps += batch.notices.filter(({ type }) => type === 'GAP').length;
    this.position = batch.position;
    this.batches.add(batch);
    return this.#blocked?.promise;
  }
}

const sometimes = { shared: 0, alone: 0, readFromStorage: 0, gaps: 0 };

describe('subscribers that read together', () => {
  it('each get every trade that matches once, in order, whoever is slow, comes back or begins on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ filter: fc.nat(1), isHanded: fc.boolean() }), { minLength: CLIENTS, maxLength: CLIENTS }),
        fc.array(steps, { maxLength: 60, size: 'max' }),
        async (kinds, schedule) => {
          const clock = new ManualClock();
          const store = new MemoryTradeStore();
          store.commit(1, [aTrade()]);
          const feed = new TradeFeed({ history: store, clock, position: store.positions, capacity: 16 });
          const begun = kinds.map(({ filter, isHanded }) => ({
            filter: FILTERS[filter] ?? {},
            isHanded,
            from: feed.position,
            gaps: 0,
          }));
          const all = begun.map(({ filter, isHanded }) => new Client(feed, filter, isHanded));
          const late: Record<1 | 2, RecordedTrade[]> = { 1: [], 2: [] };
          const record = (writer: 1 | 2, symbols: readonly string[], hole: number, isLate: boolean) => {
            store.skip(writer, hole);
            const trades = store.commit(
              writer,
              symbols.map((symbol) => aTrade({ symbol })),
            );
            late[writer].push(...trades);
            if (isLate) return;
            feed.publish(late[writer].splice(0), new Map([[writer, store.positions.get(writer) ?? 0n]]));
          };
          let gap = 1;
          for (const step of schedule) {
            const at = 'client' in step ? step.client : 0;
            if (step.do === 'trade') record(step.writer, step.symbols, step.hole, step.isLate);
            if (step.do === 'block') all[at]?.block();
            if (step.do === 'unblock') all[at]?.unblock();
            if (step.do === 'reconnect') all[at]?.reconnect();
            if (step.do === 'pass') await clock.advance(step.ms);
            if (step.do === 'gap') {
              feed.gapChanged(gapOf(gap, gap));
              gap += 10;
            }
            const own = begun[at];
            if (step.do === 'restart' && own) {
              all[at]?.unblock();
              await turn();
              all[at] = new Client(feed, own.filter, own.isHanded);
              own.from = feed.position;
            }
          }
          for (const client of all) client.unblock();
          for (const writer of [1, 2, 1] as const) {
            record(writer, ['BTC-USDT'], 0, false);
            for (let k = 0; k < 20; k += 1) await clock.advance(200);
          }
          for (const [k, client] of all.entries()) {
            const { filter, from } = begun[k] ?? { filter: {}, from: new Map() };
            const matches = tradeMatcher(filter);
            const truth = store.log.filter(
              ({ trade, writer, sequence }) => sequence > (from.get(writer) ?? 0n) && matches(trade),
            );
            for (const writer of [1, 2])
              expect(client.received.filter((one) => one.writer === writer).map(({ sequence }) => sequence)).toEqual(
                truth.filter((one) => one.writer === writer).map(({ sequence }) => sequence),
              );
            sometimes.gaps += client.gaps;
            for (const other of all.slice(0, k)) {
              const same = [...client.batches].filter((batch) => other.batches.has(batch)).length;
              sometimes.shared += same;
              sometimes.alone += client.batches.size - same;
            }
          }
          sometimes.readFromStorage += store.reads;
          // who stands at the same place reads together again
          const last = all.map(({ batches }) => [...batches].at(-1));
          for (const filter of [0, 1]) {
            const newest = last.filter((_, k) => kinds[k]?.filter === filter);
            expect(new Set(newest).size).toBeLessThanOrEqual(newest.length > 0 ? 1 : 0);
          }
          feed[Symbol.dispose]();
          expect(feed.subscribers).toBe(0);
          expect(clock.sleepers).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('did so and did not, on the way', () => {
    for (const [what, times] of Object.entries(sometimes)) expect(times, what).toBeGreaterThan(50);
  });
});
