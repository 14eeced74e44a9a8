import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Side, Trade } from '../../src/market/market-event.ts';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { findTrade, type Position, type StoredTrade, tradesAfter } from '../../src/storage/trades.ts';
import { retireWriters } from '../../src/storage/writer-slot.ts';
import { useTestDatabase } from '../support/database.ts';
import { idsOf, listTrades, pageOf, scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();
const { symbol, trade } = scene();
const other = scene();

/** Many trades a millisecond, ids of differing length, over the end of a month. */
const HISTORY: readonly Trade[] = Array.from({ length: 120 }, (_, at) =>
  trade(10 ** (at % 5) + at * 7, {
    exchangeTime: Date.UTC(2026, 10, 1) + (Math.floor(at / 6) - 10),
    side: at % 3 === 0 ? 'buy' : 'sell',
  }),
);
const expected = HISTORY.toSorted((a, b) => a.exchangeTime - b.exchangeTime || Number(a.tradeId) - Number(b.tradeId));
const keyOf = ({ exchangeTime, tradeId }: Trade) => ({ exchangeTime, tradeId });

beforeAll(async () => {
  await using writer = await openTestWriter(db());
  await writer.write(HISTORY.toReversed().map((one) => toRecord(one)));
});

describe('a page of trades', () => {
  it('is what sorting and cutting the whole would give, for any range, side, order, cursor and end', async () => {
    const time = fc.option(
      fc.integer({ min: -12, max: 12 }).map((ms) => new Date(Date.UTC(2026, 10, 1) + ms)),
      { nil: null },
    );
    const key = fc.option(fc.constantFrom(...HISTORY).map(keyOf), { nil: null });
    const query = fc.record({
      from: time,
      to: time,
      side: fc.constantFrom<Side | null>('buy', 'sell', null),
      order: fc.constantFrom('ASC' as const, 'DESC' as const),
      limit: fc.integer({ min: 1, max: 40 }),
      after: key,
      before: key,
      fromEnd: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(query, async (asked) => {
        const { from, to, side, order, limit, after, before, fromEnd } = asked;
        const rank = (one: Pick<Trade, 'exchangeTime' | 'tradeId'>) =>
          expected.findIndex(({ tradeId }) => tradeId === one.tradeId) * (order === 'ASC' ? 1 : -1);
        const range = (order === 'ASC' ? expected : expected.toReversed()).filter(
          (one) =>
            (from === null || one.exchangeTime >= from.getTime()) &&
            (to === null || one.exchangeTime < to.getTime()) &&
            (side === null || one.side === side) &&
            (after === null || rank(one) > rank(after)) &&
            (before === null || rank(one) < rank(before)),
        );
        const page = await listTrades(db(), pageOf(symbol, asked));
        expect(idsOf(page.trades)).toEqual(
          (fromEnd ? range.slice(-limit) : range.slice(0, limit)).map(({ tradeId }) => tradeId),
        );
        expect(page.hasMore).toBe(range.length > limit);
      }),
      { numRuns: 150 },
    );
  });

  it.each(['ASC', 'DESC'] as const)('follows the one before it without loss or repeat, %s', async (order) => {
    const seen: StoredTrade[] = [];
    for (let hasMore = true; hasMore; ) {
      const last = seen.at(-1);
      const page = await listTrades(db(), pageOf(symbol, { order, limit: 7, after: last ? keyOf(last.trade) : null }));
      seen.push(...page.trades);
      hasMore = page.hasMore;
    }
    const whole = expected.map(({ tradeId }) => tradeId);
    expect(idsOf(seen)).toEqual(order === 'ASC' ? whole : whole.toReversed());
  });

  it('is empty for an instrument nobody knows', async () => {
    expect(await listTrades(db(), pageOf('NO-SUCH'))).toEqual({ trades: [], hasMore: false });
    expect(await findTrade(db(), 'okx', 'NO-SUCH', keyOf(trade(1)))).toBeNull();
  });

  it('holds the first trade of an instrument that was asked for before', async () => {
    const { symbol: young, trade: first } = scene();
    expect(await listTrades(db(), pageOf(young))).toEqual({ trades: [], hasMore: false });
    await using writer = await openTestWriter(db());
    await writer.write([toRecord(first(1))]);
    expect(idsOf((await listTrades(db(), pageOf(young))).trades)).toEqual(['1']);
  });
});

describe('trades as of a time', () => {
  const START = Date.UTC(2026, 10, 2);
  const SECOND = 1_000;
  const { symbol: pair, trade: made } = scene();
  /** In the order they were recorded, one a second; every third is one of the past that was fetched later. */
  const order = [20, 21, 3, 22, 23, 1, 24, 25, 2, 26, 27, 10];
  const recordedAt = (at: number) => START + (at + 100) * SECOND;
  const at = (id: number) => START + id * SECOND;
  const idsAsOf = (time: number) =>
    order
      .filter((_, k) => recordedAt(k) <= time)
      .toSorted((a, b) => a - b)
      .map(String);
  const ask = (over: Parameters<typeof pageOf>[1]) => listTrades(db(), pageOf(pair, over));

  it('are those that were recorded by then, whatever is fetched later, from either end and in pages', async () => {
    let now = START;
    await using writer = await openTestWriter(db(), { clock: { ...systemClock, now: () => now } });
    const answers = new Map<number, readonly string[]>();
    for (const [k, id] of order.entries()) {
      now = recordedAt(k);
      const provenance = id < 20 ? 'BACKFILL' : 'LIVE';
      await writer.write([toRecord(made(id, { exchangeTime: at(id) }), { provenance })]);
      answers.set(now, idsOf((await ask({})).trades));
    }
    for (const [time, answer] of answers) {
      const asOf = new Date(time);
      expect({ time, ids: idsAsOf(time) }).toEqual({ time, ids: answer });
      expect(idsOf((await ask({ asOf })).trades)).toEqual(answer);
      expect(idsOf((await ask({ asOf: new Date(time + 999) })).trades)).toEqual(answer);
      expect(idsOf((await ask({ asOf: new Date(time - 1) })).trades)).toHaveLength(answer.length - 1);
    }
    const time = recordedAt(8);
    const asOf = new Date(time);
    for (const direction of ['ASC', 'DESC'] as const) {
      const whole = direction === 'ASC' ? idsAsOf(time) : idsAsOf(time).toReversed();
      const forward: string[] = [];
      const backward: string[] = [];
      for (let after = null as ReturnType<typeof keyOf> | null, hasMore = true; hasMore; ) {
        const page = await ask({ asOf, order: direction, limit: 2, after });
        forward.push(...idsOf(page.trades));
        after = keyOf(page.trades.at(-1)?.trade as Trade);
        hasMore = page.hasMore;
      }
      for (let before = null as ReturnType<typeof keyOf> | null, hasMore = true; hasMore; ) {
        const page = await ask({ asOf, order: direction, limit: 2, before, fromEnd: true });
        backward.unshift(...idsOf(page.trades));
        before = keyOf(page.trades[0]?.trade as Trade);
        hasMore = page.hasMore;
      }
      expect({ forward, backward }).toEqual({ forward: whole, backward: whole });
    }
  });
});

describe('trades after a position', () => {
  const read = async (
    filter: { exchange: string | null; symbols: readonly string[] | null },
    limit: number,
    from: Position,
  ) => {
    const trades: RecordedTrade[] = [];
    let position = from;
    for (let done = false; !done; ) {
      const part = await tradesAfter(db(), position, filter, limit);
      expect(part.trades.length).toBeLessThanOrEqual(limit);
      trades.push(...part.trades);
      ({ position, done } = part);
    }
    return { trades, position };
  };

  it('are all of what was recorded since, in the order of each writer, in pages of any size', async () => {
    const { position: start } = await read({ exchange: null, symbols: [] }, 100, new Map());
    await using first = await openTestWriter(db());
    await using second = await openTestWriter(db());
    const recorded: RecordedTrade[] = [];
    for (let id = 1; id <= 90; id += 3) {
      const batch = [other.trade(id), trade(id + 1_000_001), other.trade(id + 2)].map((one) => toRecord(one));
      recorded.push(...(await (id % 2 === 0 ? first : second).write(batch)));
    }
    const inOrder = recorded.toSorted((a, b) => a.writer - b.writer || Number(a.sequence - b.sequence));
    for (const limit of [1, 7, 1_000]) {
      const all = await read({ exchange: null, symbols: null }, limit, start);
      expect(all.trades).toEqual(inOrder);
      const some = await read({ exchange: 'okx', symbols: [symbol] }, limit, start);
      expect(some.trades).toEqual(inOrder.filter((one) => one.trade.symbol === symbol));
      expect(some.position).toEqual(all.position);
    }
  });

  it('move the position also when nothing matches', async () => {
    const { trades, position } = await read({ exchange: 'kraken', symbols: null }, 5, new Map());
    expect(trades).toEqual([]);
    expect((await tradesAfter(db(), position, { exchange: null, symbols: null }, 5)).trades).toEqual([]);
  });

  it('are found far above the numbers that were given before, as after a restore', async () => {
    const { position: start } = await read({ exchange: null, symbols: [] }, 100, new Map());
    const connection = await db().connect('test');
    await using past = await openTestWriter(db());
    await past.write([toRecord(trade(2_000_001))]);
    await retireWriters(connection, systemClock.now(), systemClock.now());
    await connection.close();
    await using next = await openTestWriter(db());
    expect(next.writer).not.toBe(past.writer);
    expect(next.position).toBeGreaterThan(2n ** 46n);
    const recorded = await next.write([toRecord(trade(2_000_002)), toRecord(trade(2_000_003))]);
    const ids = async (from: Position) => idsOf((await read({ exchange: 'okx', symbols: [symbol] }, 5, from)).trades);
    expect(await ids(start)).toEqual(['2000001', '2000002', '2000003']);
    expect(await ids(new Map([[next.writer, recorded[0]?.sequence ?? 0n]]))).toContain('2000003');
    expect((await read({ exchange: 'kraken', symbols: null }, 5, start)).trades).toEqual([]);
  });
});
