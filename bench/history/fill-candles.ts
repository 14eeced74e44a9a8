import type pg from 'pg';
import type { Stretch } from '../../src/market/coverage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { Database } from '../../src/storage/database.ts';
import { upsertInstrument } from '../../src/storage/instruments.ts';
import { ensurePartitions } from '../../src/storage/partitions.ts';
import { rollUp } from '../../src/storage/roll-up.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { numberedBy } from '../frame/numbered.ts';
import { EXCHANGE } from './fill-trades.ts';

export const CANDLE_SYMBOL = 'YEAR-USDT';
const DAY = 86_400_000;
const STEP_MS = 15_000;
const FIRST_ID = 1_000_000;

/** One trade every 15 s of one market, ids without a hole and proven, through the statement the product fills its own candles with. */
export async function fillCandles(db: Database, client: pg.Client, days: number): Promise<void> {
  const end = Math.floor(Date.now() / DAY) * DAY;
  const begin = end - days * DAY;
  await ensurePartitions(db, begin, end);
  const instrumentId = await upsertInstrument(db, EXCHANGE, CANDLE_SYMBOL, 'market');
  await using writer = await openTradeWriter(db, systemClock, silentLog, { owner: 'bench', writer: null });
  const first = BigInt(writer.writer) << 48n;
  const every = 7 * DAY;
  for (let from = begin; from < end; from += every) {
    const [k, last] = [(from - begin) / STEP_MS, (Math.min(end, from + every) - begin) / STEP_MS - 1];
    await client.query('begin');
    await client.query({
      text: `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
        select $1::int8 + k + 1, ts, ts, ts, $2, 1, case when k % 3 = 0 then 's' else 'b' end::"char", 'l', (${FIRST_ID} + k)::text,
          round((50000 + 4000 * sin(k / 40000.0) + 30 * sin(k / 7.0))::numeric, 1), round((0.001 + (k % 97) * 0.00113)::numeric, 5)
        from (select k, 'epoch'::timestamptz + (${begin} + k * ${STEP_MS} + (k * 7919) % 14000) * interval '1 millisecond' as ts
          from generate_series($3::int8, $4::int8) k) s`,
      values: [String(first), instrumentId, k, last],
    });
    const made = `(select * from tcp_dashboard.trade where id > ${first + BigInt(k)} and id <= ${first + BigInt(last) + 1n}) made`;
    await client.query(rollUp(numberedBy(made)));
    await client.query('commit');
  }
  const count = (end - begin) / STEP_MS;
  const stretch: Stretch = {
    ...{
      status: 'PROVEN',
      evidence: 'TRADE_ID_CONTIGUITY',
      first: BigInt(FIRST_ID),
      last: BigInt(FIRST_ID + count - 1),
    },
    ...{ from: begin, to: end - 1_000, actual: count, cause: null, gap: null, gapFoundAt: null },
  };
  const change = { exchange: EXCHANGE, symbol: CANDLE_SYMBOL, first: stretch.first, stretch };
  await writer.write({ trades: [], last: BigInt(count), changes: [change] });
}
