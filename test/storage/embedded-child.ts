import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { sampleTrade, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

/** Records trades without end and tells the id of each one that was acknowledged; to be killed. */
const [dataDir = ''] = process.argv.slice(2);
const db = await openDatabase({
  url: null,
  dataDir,
  poolSize: 4,
  maxOverflow: 0,
  poolTimeoutMs: 5_000,
  poolRecycleMs: 60_000,
  tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
  log: silentLog,
  clock: systemClock,
});
const writer = await openTestWriter(db, { owner: 'the spool of who is killed' });
for (let id = 1; ; id++) {
  await writer.write([toRecord(sampleTrade(id, { symbol: 'KILL-ME' }))]);
  process.stdout.write(`${id}\n`);
}
