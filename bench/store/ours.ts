/** From what the spool holds to the database as the application wires it: grouped, with ledger, candles and position. */

import { TradeDrain } from '../../src/pipeline/drain/trade-drain.ts';
import { TradeLedgers } from '../../src/pipeline/ledger/trade-ledgers.ts';
import { COMMITTED_TOGETHER } from '../../src/pipeline/recorder.ts';
import { type SpoolBatch, tradesOf } from '../../src/pipeline/spool/spool-batch.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { silentLog as log } from '../../src/runtime/log.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { openTables } from './database.ts';
import { chunksOf, storeIt } from './storing.ts';

/** Of intake, under load. */
const BATCH_ROWS = 2_000;
/** Below what the drain holds in memory. */
const MOST_WAITING = 40_000;

storeIt(async ({ url }) => {
  const writer = await openTradeWriter(await openTables(url), clock, log, { owner: 'bench', writer: null });
  const ledgers = new TradeLedgers();
  let number = 0;
  return async (trades) => {
    let committed = Promise.withResolvers<void>();
    const drain = new TradeDrain(
      {
        spool: { bytes: 0, append: async () => {}, read: async () => [], discard: async () => {} },
        store: {
          writer: writer.writer,
          get position() {
            return writer.position;
          },
          async write(commit) {
            const outcome = await writer.write(commit);
            if (outcome.leftOut.size > 0) throw new Error('A trade was there already');
            committed.resolve();
            return outcome;
          },
          prepare: (trades) => writer.prepare(trades),
          load: async () => [],
          quarantine: async ({ reason }) => Promise.reject(new Error(reason)),
        },
        ...{ hasTradeIds: () => true, clock, random: Math.random, log, shared: () => false },
        ...{ publish: () => {}, refused: () => true, rebase: () => {} },
      },
      { ledgers, number, maxRows: BATCH_ROWS * COMMITTED_TOGETHER },
    );
    drain.start();
    let sequence = writer.position;
    for (const chunk of chunksOf(trades, BATCH_ROWS)) {
      const items = chunk.map((trade) => {
        sequence += 1n;
        const recordedAt = trade.receivedAt + 8;
        const numbered = { trade, writer: writer.writer, sequence, recordedAt } as const;
        return { kind: 'trade', ...numbered, provenance: 'LIVE', storeRaw: false } as const;
      });
      number += 1;
      const batch: SpoolBatch = { number, last: sequence, items };
      while (drain.status().spooled + tradesOf(batch.items).length > MOST_WAITING) {
        committed = Promise.withResolvers();
        await committed.promise;
      }
      drain.take(batch);
    }
    const left = await drain.stop(120_000);
    if (left > 0) throw new Error(`${left} trades were not stored`);
  };
});
