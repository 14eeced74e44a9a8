/** A month long before the tests, so that no partition of today's is in the way. */
const [MONTH, NEXT] = ["'2026-05-01Z'", "'2026-06-01Z'"];

const partition = (relation: string) => `
  create table tcp_dashboard.${relation}_2026_05 (like tcp_dashboard.${relation} including defaults);
  alter table tcp_dashboard.${relation} attach partition tcp_dashboard.${relation}_2026_05 for values from (${MONTH}) to (${NEXT});
  insert into tcp_dashboard.partition (name, relation, starts_at, ends_at, made_at)
    values ('${relation}_2026_05', '${relation}', ${MONTH}, ${NEXT}, ${MONTH});`;

const ID = "(select id from tcp_dashboard.instrument where exchange = 'okx' and symbol = 'BTC-USDT')";

/**
 * What a server writes that knows the tables up to a migration, beyond what the one before wrote: trades 1, 2 and 5 of May 2026 by writer 7,
 * 3 and 4 missing. A migration that adds something to write gets its rows here; one that does not, an empty text.
 */
export const WRITTEN: Readonly<Record<string, string>> = {
  '20261123182808_first_tables': `
    ${partition('trade')}
    create unique index on tcp_dashboard.trade_2026_05 (instrument_id, trade_id);
    ${partition('market_point')}
    insert into tcp_dashboard.instrument (exchange, symbol, kind) values ('okx', 'BTC-USDT', 'market');
    insert into tcp_dashboard.writer (id, epoch, position, claimed_at) values (7, 3, 3, ${MONTH});
    insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size, raw)
      select (7::int8 << 48) + sequence, at, at, at, ${ID}, 1, 'b', 'l', id, price, 0.0012000, '{"tradeId":"kept"}'
      from (values (1, '2026-05-20 10:00:00.100Z'::timestamptz, '1', 50000.10), (2, '2026-05-20 10:00:00.200Z', '2', 50000.20),
        (3, '2026-05-20 10:00:00.500Z', '5', 50000.5000)) t (sequence, at, id, price);
    insert into tcp_dashboard.market_point (ts, created_at, instrument_id, data_type, data)
      values ('2026-05-20 10:00Z', '2026-05-20 10:00Z', ${ID}, 'ticker', '{"last":"50000.1"}');
    insert into tcp_dashboard.collector (name, exchange, symbol, config, status, should_be_running, health, statistics, updated_at)
      values ('okx:BTC-USDT', 'okx', 'BTC-USDT', '{"dataTypes":["trade"]}', 'STOPPED', false, '{}', '{}', ${MONTH});
    insert into tcp_dashboard.maintenance (job, ran_at, reached) values ('retention', ${MONTH}, '2024-05-01Z');`,

  '20261127170125_coverage_ledger': `
    update tcp_dashboard.writer set owner = 'somebody' where id = 7;
    insert into tcp_dashboard.coverage
        (writer, instrument_id, data_type, first, last, status, evidence, from_time, to_time, actual, cause, gap, gap_found_at, updated_at)
      values (7, ${ID}, 'trade', 1, 2, 'PROVEN', 'TRADE_ID_CONTIGUITY', '2026-05-20 10:00:00.100Z', '2026-05-20 10:00:00.200Z', 2, null, null, null, ${MONTH}),
        (7, ${ID}, 'trade', 3, 4, 'GAP', 'TRADE_ID_CONTIGUITY', '2026-05-20 10:00:00.200Z', '2026-05-20 10:00:00.500Z', 0, 'a step', 3, '2026-05-20 10:00:01Z', ${MONTH}),
        (7, ${ID}, 'trade', 5, 5, 'PROVEN', 'TRADE_ID_CONTIGUITY', '2026-05-20 10:00:00.500Z', '2026-05-20 10:00:00.500Z', 1, null, null, null, ${MONTH});
    insert into tcp_dashboard.refused_row (at, what, reason, "row") values (${MONTH}, 'trade', 'a size of nothing', '{}');`,

  '20261127174357_retention_mark': `
    update tcp_dashboard.writer set dropped = greatest(dropped, 0) where id = 7;`,

  '20261127210749_dropped_ranges': `
    insert into tcp_dashboard.dropped_range (instrument_id, data_type, first, last, from_time, to_time)
      values (${ID}, 'ticker', 0, 1, '2024-04-01Z', ${MONTH});`,

  '20261127215611_candles': `
    ${partition('candle')}
    insert into tcp_dashboard.candle (instrument_id, seconds, ts, recorded_at, trade_count, open, high, low, close, volume, quote_volume,
        buy_volume, first_ts, last_ts, first_id, last_id)
      select ${ID}, seconds, '2026-05-20 10:00Z', '2026-05-20 10:00:00.500Z', 3, 50000.10, 50000.5000, 50000.10, 50000.5000, 0.0036000, 180.00096,
        0.0036000, '2026-05-20 10:00:00.100Z', '2026-05-20 10:00:00.500Z', '1', '5' from (values (1), (60), (3600)) s (seconds);`,

  '20261128100324_audit_log': `
    insert into tcp_dashboard.audit_entry (log, number, at, principal, principal_kind, action, target, reason, outcome)
      values ('a log', 1, ${MONTH}, 'ci', 'token', 'restartCollector', 'okx:BTC-USDT', 'by hand', 'OK');`,

  '20261128113400_audit_address': `
    insert into tcp_dashboard.audit_entry (log, number, at, principal, principal_kind, address, action, target, reason, outcome)
      values ('a log', 2, ${MONTH}, 'anonymous', 'anonymous', '192.0.2.7', 'stopCollector', 'okx:BTC-USDT', null, 'REFUSED');
    insert into tcp_dashboard.maintenance (job, ran_at, reached) values ('audit', ${MONTH}, '2025-04-01Z');`,
};

/** All that a server writes that knows these migrations. */
export const writtenBy = (migrations: readonly string[]): string =>
  migrations.map((migration) => WRITTEN[migration] ?? '').join('\n');
