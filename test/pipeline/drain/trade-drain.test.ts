import { describe, expect, it, vi } from 'vitest';
import type { MarketStretch } from '../../../src/market/coverage.ts';
import type { Trade } from '../../../src/market/market-event.ts';
import { TradeDrain } from '../../../src/pipeline/drain/trade-drain.ts';
import { TradeLedgers } from '../../../src/pipeline/ledger/trade-ledgers.ts';
import type { SpoolBatch } from '../../../src/pipeline/spool/spool-batch.ts';
import { encodeItems } from '../../../src/pipeline/spool/spool-text.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import type { NumberedTrade } from '../../../src/storage/trade-batch.ts';
import type { TradeCommit } from '../../../src/storage/trade-writer.ts';
import { ManualClock, turn } from '../../support/manual-clock.ts';
import { MemorySpool } from '../memory-spool.ts';
import { MemoryTradeStore, outOfRange, someTrades } from '../memory-trade-store.ts';

const ROWS = 10;

/** Batches of ten trades with numbers that rise. */
function batchesOf(trades: readonly Trade[]): readonly SpoolBatch[] {
  const items = trades.map(
    (trade, at) =>
      ({
        kind: 'trade',
        ...{ trade, writer: 1, sequence: BigInt(at + 1), recordedAt: trade.receivedAt },
        ...{ provenance: 'LIVE' as const, storeRaw: false },
      }) as const,
  );
  return Array.from({ length: items.length / ROWS }, (_, at) => ({
    ...{ number: at + 1, last: BigInt((at + 1) * ROWS), items: items.slice(at * ROWS, (at + 1) * ROWS) },
  }));
}

/** A commit takes a while, in which the drain may go on. */
class SlowStore extends MemoryTradeStore {
  readonly prepared: (readonly NumberedTrade[])[] = [];
  readonly written: (readonly NumberedTrade[])[] = [];
  /** How many were written when each of them was made. */
  readonly behind: number[] = [];
  /** After each write. */
  readonly ledgers: (readonly MarketStretch[])[] = [];
  /** What happens when the write with this number, from 1 on, arrives. */
  faults: ReadonlyMap<number, Fault> = new Map();
  failed = 0;
  isQuick: (commit: TradeCommit) => boolean = () => false;
  #writes = 0;

  override async prepare(trades: readonly NumberedTrade[]): Promise<void> {
    this.prepared.push(trades);
    this.behind.push(this.written.length);
  }

  override async write(commit: TradeCommit): Promise<{ readonly leftOut: ReadonlySet<bigint> }> {
    if (!this.isQuick(commit)) for (let k = 0; k < 4; k += 1) await turn();
    this.#writes += 1;
    this.faults.get(this.#writes)?.(this);
    try {
      const outcome = await super.write(commit);
      this.written.push(commit.trades);
      this.ledgers.push(this.stretches());
      return outcome;
    } catch (error) {
      this.failed += 1;
      throw error;
    }
  }
}

/** Stores all batches, two in each commit, from a full memory on. */
async function storeAll(store: SlowStore, batches: readonly SpoolBatch[]): Promise<void> {
  const [clock, spool] = [new ManualClock(), new MemorySpool()];
  const drain = new TradeDrain(
    {
      ...{ spool, store, clock, random: () => 0.5, log: silentLog, hasTradeIds: () => true },
      ...{ publish: () => {}, shared: () => false, refused: () => true, rebase: () => {} },
    },
    { ledgers: new TradeLedgers(), number: 0, maxRows: 2 * ROWS },
  );
  for (const { number, last, items } of batches) {
    await spool.append([{ number, last: Number(last), at: 0, body: encodeItems(items) }]);
    drain.take({ number, last, items });
  }
  drain.start();
  await vi.waitFor(async () => {
    await clock.advance(1_000);
    expect(drain.status()).toMatchObject({ spooled: 0, batches: 0 });
  });
  await drain.stop(0);
}

const storedIds = ({ log }: MemoryTradeStore) => log.map(({ trade }) => trade.tradeId);

type Fault = (store: SlowStore) => void;

const unavailable = () => new AppError('DATABASE_UNAVAILABLE', 'The database does not answer');

/** Nothing is thrown by the writes after it. */
const once = (store: SlowStore, when: 'beforeWrite' | 'afterWrite', error: Error): void => {
  store[when] = () => {
    store[when] = () => {};
    throw error;
  };
};

/** The ledger in lines, ids counted from the first trade. */
const linesOf = (store: MemoryTradeStore, [trade]: readonly Trade[]): readonly string[] =>
  store
    .stretches()
    .map(
      ({ status, first, last }) =>
        `${status} ${first - BigInt(trade?.tradeId ?? 0)}..${last - BigInt(trade?.tradeId ?? 0)}`,
    );

describe('TradeDrain', () => {
  it('makes the next commit ready while one is under way, and commits what it made', async () => {
    const store = new SlowStore();
    const trades = someTrades(8 * ROWS);
    await storeAll(store, batchesOf(trades));
    expect(storedIds(store)).toEqual(trades.map(({ tradeId }) => tradeId));
    expect(store.behind).toEqual([0, 1]); // until the last one's turn more may come, which goes with it
    expect(store.written.slice(1, 3)).toEqual(store.prepared);
    expect(store.written[1]).toBe(store.prepared[0]);
  });

  it.each<[string, Fault]>([
    ['is not taken for a while', (store) => once(store, 'beforeWrite', unavailable())],
    ['has an outcome that nobody heard', (store) => once(store, 'afterWrite', unavailable())],
    [
      'finds what was confirmed before it gone',
      (store) => {
        store.forget(BigInt(2 * ROWS), store.ledgers[0] ?? []);
        once(store, 'beforeWrite', new AppError('WRITER_BEHIND', 'The database stands at sequence 20'));
      },
    ],
  ])('stores every trade once and in order where the commit under way %s', async (_what, fault) => {
    const store = new SlowStore();
    const trades = someTrades(12 * ROWS);
    store.faults = new Map([[3, fault]]);
    await storeAll(store, batchesOf(trades));
    expect(store.failed).toBe(1);
    expect(storedIds(store)).toEqual(trades.map(({ tradeId }) => tradeId));
    expect(linesOf(store, trades)).toEqual([`PROVEN 0..${trades.length - 1}`]);
  });

  it.each([
    ['before', 40],
    ['after', 47],
  ] as const)(
    'says of a row that is refused %s the next commit is made ready that it is missing, and stores the others',
    async (when, index) => {
      const store = new SlowStore();
      const trades = someTrades(12 * ROWS);
      const hasBad = (batch: readonly { readonly trade: Trade }[]) =>
        batch.some(({ trade }) => trade === trades[index]);
      store.beforeWrite = (batch) => {
        if (hasBad(batch)) throw outOfRange();
      };
      store.isQuick = (commit) => when === 'before' && hasBad(commit.trades);
      await storeAll(store, batchesOf(trades));
      expect(storedIds(store)).toEqual(trades.toSpliced(index, 1).map(({ tradeId }) => tradeId));
      expect(linesOf(store, trades)).toEqual([
        `PROVEN 0..${index - 1}`,
        `UNFILLABLE ${index}..${index}`,
        `PROVEN ${index + 1}..${trades.length - 1}`,
      ]);
    },
  );
});
