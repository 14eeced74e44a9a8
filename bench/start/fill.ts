/** Stored trades of earlier days, with their candles and what the ledger says of them, through the statements of the product. */
import type { Stretch } from '../../src/market/coverage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { upsertInstrument } from '../../src/storage/instruments.ts';
import { ensurePartitions } from '../../src/storage/partitions.ts';
import { rollUp } from '../../src/storage/roll-up.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { answer } from '../frame/answer.ts';
import { numberedBy } from '../frame/numbered.ts';

export interface Filling {
  readonly dataDir: string;
  /** Of the one market that is filled: the first has been given `from` before. */
  readonly from: number;
  readonly to: number;
}

const [EXCHANGE, SYMBOL, FIRST_ID] = ['okx', 'FILL-USDT', 1_000_000n];
const AT_ONCE = 50_000;
const DAY = 86_400_000;
/** One trade a second, of 40 days before today. */
const STEP = 1_000;
const START = (Math.floor(Date.now() / DAY) - 40) * DAY;
const timeOf = (k: number) => START + k * STEP;

answer({
  async fill({ dataDir, from, to }: Filling) {
    await using db = await openDatabase({
      ...{ url: null, dataDir, poolSize: 4, maxOverflow: 0, poolTimeoutMs: 60_000, poolRecycleMs: 3_600_000 },
      tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
      ...{ log: silentLog, clock: systemClock },
    });
    await ensurePartitions(db, timeOf(from), timeOf(to));
    const instrumentId = await upsertInstrument(db, EXCHANGE, SYMBOL, 'market');
    await using writer = await openTradeWriter(db, systemClock, silentLog, { owner: `bench ${to}`, writer: null });
    const before = (BigInt(writer.writer) << 48n) + writer.position - BigInt(from);
    for (let start = from; start < to; start += AT_ONCE) {
      const end = Math.min(to, start + AT_ONCE);
      const at = `'epoch'::timestamptz + (${START} + k * ${STEP}) * interval '1 millisecond'`;
      await db.writers.transaction(async (handle) => {
        await handle.execute(`
          insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
          select ${before}::int8 + k + 1, ts, ts, ts, ${instrumentId}::int, 1, case when k % 3 = 0 then 's' else 'b' end::"char", 'l',
            (${FIRST_ID} + k)::text, round((50000 + 4000 * sin(k / 40000.0) + 30 * sin(k / 7.0))::numeric, 1), round((0.001 + (k % 97) * 0.00113)::numeric, 5)
          from (select k, ${at} as ts from generate_series(${start}::int8, ${end - 1}::int8) k) s`);
        const [after, through] = [before + BigInt(start), before + BigInt(end)];
        await handle.execute(
          rollUp(numberedBy(`(select * from tcp_dashboard.trade where id > ${after} and id <= ${through}) made`)),
        );
      });
    }
    const count = to - from;
    const [first, last] = [FIRST_ID + BigInt(from), FIRST_ID + BigInt(to - 1)];
    const stretch: Stretch = {
      ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', first, last, from: timeOf(from), to: timeOf(to - 1) },
      ...{ actual: count, cause: null, gap: null, gapFoundAt: null },
    };
    const change = { exchange: EXCHANGE, symbol: SYMBOL, first, stretch };
    await writer.write({ trades: [], last: writer.position + BigInt(count), changes: [change] });
    await db.writers.run((handle) => handle.execute('vacuum analyze'));
  },
});
