import { randomUUID } from 'node:crypto';
import type { StretchChange } from '../../src/market/coverage.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Provenance, RecordedTrade } from '../../src/market/recorded-trade.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { Database } from '../../src/storage/database.ts';
import { openTradeWriter, type TradeWriter } from '../../src/storage/trade-writer.ts';

export interface TradeToRecord {
  readonly trade: Trade;
  readonly provenance: Provenance;
  readonly storeRaw: boolean;
}

/** Numbers trades as the pipeline does, and returns those that were new to the database. */
export interface TestWriter extends AsyncDisposable {
  readonly writer: number;
  readonly position: bigint;
  readonly real: TradeWriter;
  /** Repeats are numbered as before when the batch is the same object. */
  write(batch: readonly TradeToRecord[], changes?: readonly StretchChange[]): Promise<readonly RecordedTrade[]>;
}

export async function openTestWriter(
  db: Database,
  {
    clock = systemClock,
    owner = randomUUID(),
    writer = null,
  }: { clock?: Clock; owner?: string; writer?: number | null } = {},
): Promise<TestWriter> {
  const real = await openTradeWriter(db, clock, silentLog, { owner, writer });
  let last = real.position;
  const numbered = new WeakMap<
    object,
    { readonly recorded: readonly (RecordedTrade & { storeRaw: boolean })[]; readonly last: bigint }
  >();
  return {
    real,
    get writer() {
      return real.writer;
    },
    get position() {
      return real.position;
    },
    async write(batch, changes = []) {
      const known = numbered.get(batch) ?? {
        recorded: batch.map((one) => {
          last += 1n;
          return { ...one, writer: real.writer, sequence: last, recordedAt: clock.now() };
        }),
        last,
      };
      numbered.set(batch, known);
      const { leftOut } = await real.write({ trades: known.recorded, last: known.last, changes });
      return known.recorded
        .filter(({ sequence }) => !leftOut.has(sequence))
        .map(({ trade, writer: slot, sequence, recordedAt, provenance }) => ({
          ...{ trade, writer: slot, sequence, recordedAt, provenance },
        }));
    },
    async [Symbol.asyncDispose]() {
      real.disown();
      await real[Symbol.asyncDispose]();
    },
  };
}
