import { describe, expect, it } from 'vitest';
import type { RecordedTrade } from '../../../src/market/recorded-trade.ts';
import { tradeCursors } from '../../../src/pipeline/feed/cursor.ts';
import { OtherWriters } from '../../../src/pipeline/feed/other-writers.ts';
import { TradeFeed } from '../../../src/pipeline/feed/trade-feed.ts';
import type { TradeHistory } from '../../../src/pipeline/feed/trade-request.ts';
import { DEFAULT_DELIVERY } from '../../../src/pipeline/stream/delivery.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import type { Database } from '../../../src/storage/database.ts';
import { currentPosition, tradesAfter } from '../../../src/storage/trades.ts';
import { scene, toRecord } from '../../storage/samples.ts';
import { openTestWriter, type TestWriter } from '../../storage/test-writer.ts';
import { useTestDatabase } from '../../support/database.ts';
import { turn } from '../../support/manual-clock.ts';

const db = useTestDatabase();
const ROUNDS = 40;

/** A server's end of the database: what it records it shows at once, what others record it looks up. */
async function openServer(database: Database, capacity: number) {
  const history: TradeHistory = { tradesAfter: (...query) => tradesAfter(database, ...query) };
  const feed = new TradeFeed({ history, clock: systemClock, position: await currentPosition(database), capacity });
  const followers = new OtherWriters(feed, history, {
    ...{ clock: systemClock, log: silentLog, active: true, othersWrite: async () => true },
  });
  return {
    feed,
    [Symbol.dispose]: () => {
      followers[Symbol.dispose]();
      feed[Symbol.dispose]();
    },
  };
}

/** Writes in bursts of different size, sometimes what the other one has already. */
async function record(writer: TestWriter, trade: ReturnType<typeof scene>['trade'], first: number, feed: TradeFeed) {
  const stored: RecordedTrade[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const count = 1 + ((round * 7 + first) % 9);
    const own = Array.from({ length: count }, (_, k) => trade(first + 2 * (round * 10 + k + 1)));
    const contested = trade(1_000_000 + round);
    const recorded = await writer.write([...own, contested].map((one) => toRecord(one)));
    feed.publish(recorded, new Map([[writer.writer, writer.position]]));
    stored.push(...recorded);
    for (let turns = (first * round) % 5; turns > 0; turns -= 1) await turn();
  }
  return stored;
}

const placesOf = (trades: readonly RecordedTrade[], writer: number) =>
  trades.filter((one) => one.writer === writer).map(({ sequence }) => sequence);

describe('two servers that record into one database', () => {
  it('hasura #8632: lose and repeat nothing for a subscriber that comes back by cursor, in the order of each', async () => {
    const { symbol, trade } = scene();
    await using one = await openTestWriter(db());
    await using two = await openTestWriter(db());
    using here = await openServer(db(), 16);
    using there = await openServer(db(), 16);
    const filter = { exchange: 'okx', symbols: [symbol] };
    const cursors = tradeCursors(filter);
    let cursor = cursors.encode(here.feed.position);
    const received: RecordedTrade[] = [];
    let recorded: readonly RecordedTrade[] | null = null;
    const recording = Promise.all([record(one, trade, 1, here.feed), record(two, trade, 2, there.feed)]).then((all) => {
      recorded = all.flat();
    });

    // Now this server, now the other one, each time with the last cursor, whatever either has seen by then.
    for (
      let visit = 0;
      recorded === null || received.length < (recorded as readonly RecordedTrade[]).length;
      visit += 1
    ) {
      const { feed } = visit % 2 === 0 ? here : there;
      const stream = feed.subscribe({ filter, after: cursors.decode(cursor), delivery: DEFAULT_DELIVERY });
      for (let batches = visit % 3; batches >= 0; batches -= 1) {
        const { value } = await stream.next();
        received.push(...(value?.trades ?? []));
        if (value) cursor = cursors.encode(value.position);
        if (recorded !== null && received.length >= (recorded as readonly RecordedTrade[]).length) break;
      }
      await stream.return();
    }
    await recording;

    const truth: readonly RecordedTrade[] = recorded ?? [];
    expect(new Set(truth.map((one) => one.trade.tradeId)).size).toBe(truth.length);
    for (const { writer } of [one, two]) {
      expect(placesOf(truth, writer).length).toBeGreaterThan(ROUNDS);
      expect(placesOf(received, writer)).toEqual(placesOf(truth, writer));
    }
    expect(received).toHaveLength(truth.length);
    const holes = [one, two].map(({ writer, position }) => position - BigInt(placesOf(truth, writer).length));
    expect(holes.reduce((a, b) => a + b, 0n)).toBe(BigInt(ROUNDS)); // the contested ones were numbered twice and stored once
  });
});
