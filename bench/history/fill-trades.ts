import type pg from 'pg';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { Database } from '../../src/storage/database.ts';
import { ensurePartitions, monthStart, nextMonth, partitionName } from '../../src/storage/partitions.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';

export const EXCHANGE = 'okx';
export const MARKETS = 100;
const DAY = 86_400_000;

export const symbolOf = (market: number): string => `M${String(market).padStart(2, '0')}-USDT`;

/**
 * Trades of 100 markets mixed as they come, so far apart (ms), the last of them today: more of them reach further back. Partitions are filled apart, and get
 * their indexes when they are full. Candles are not made, as trades are read without them.
 */
export async function fillTrades(
  db: Database,
  client: pg.Client,
  { rows, step }: { readonly rows: number; readonly step: number },
): Promise<void> {
  const end = Math.floor(Date.now() / DAY) * DAY;
  const begin = end - Math.ceil(rows * step);
  await ensurePartitions(db, begin, end);
  const symbols = Array.from({ length: MARKETS }, (_, market) => symbolOf(market));
  await client.query(
    `insert into tcp_dashboard.instrument (exchange, symbol, kind) select $1, symbol, 'market' from unnest($2::text[]) symbol`,
    [EXCHANGE, symbols],
  );
  await using writer = await openTradeWriter(db, systemClock, silentLog, { owner: 'bench', writer: null });
  const first = BigInt(writer.writer) << 48n;
  await client.query("set maintenance_work_mem = '1GB'");
  for (let month = monthStart(begin); month < end; month = nextMonth(month)) {
    const from = Math.max(0, Math.ceil((month - begin) / step));
    const to = Math.min(rows, Math.ceil((nextMonth(month) - begin) / step));
    const [name, parent] = [`tcp_dashboard.${partitionName('trade', month)}`, 'tcp_dashboard.trade'];
    await client.query(`alter table ${parent} detach partition ${name}`);
    const { rows: indexes } = await client.query<{ index: string }>(
      `select indexrelid::regclass::text as index from pg_index where indrelid = '${name}'::regclass`,
    );
    for (const { index } of indexes) await client.query(`drop index ${index}`);
    await client.query(
      `insert into ${name} (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
        select $1::int8 + k + 1, ts, ts + interval '35 milliseconds', ts + interval '48 milliseconds', i.id, 1,
          case when k / ${MARKETS} % 3 = 0 then 's' else 'b' end::"char", 'l', (1000000 + k / ${MARKETS})::text,
          round((20000 + 400 * i.id + 300 * sin(k / 40000.0) + 30 * sin(k / 7.0))::numeric, 1), round((0.001 + (k % 97) * 0.00113)::numeric, 5)
        from (select k, 'epoch'::timestamptz + $2::float8 * interval '1 millisecond' + floor(k * ${step}) * interval '1 millisecond' as ts
          from generate_series($3::int8, $4::int8) k) s
        join (select id, row_number() over (order by id) - 1 as n from tcp_dashboard.instrument) i on i.n = k * 37 % ${MARKETS}`,
      [String(first), begin, from, to - 1],
    );
    await client.query(`create unique index on ${name} (instrument_id, trade_id)`);
    const [starts, ends] = [month, nextMonth(month)].map((time) => new Date(time).toISOString());
    await client.query(`alter table ${parent} attach partition ${name} for values from ('${starts}') to ('${ends}')`);
  }
  await writer.write({ trades: [], last: BigInt(rows), changes: [] });
}
