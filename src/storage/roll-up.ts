/** Lengths of stored candles, in seconds: a second, a minute, an hour. */
export const STORED_SECONDS = [1, 60, 3_600] as const;

/** Trades as columns that make up a candle, in the order of the table but for its key. `of`: where they are read. */
export const candleColumns = `max(recorded_at) as recorded_at, sum(fill_count) as trade_count,
    (array_agg(price order by ts, length(trade_id), trade_id))[1] as open, max(price) as high, min(price) as low,
    (array_agg(price order by ts desc, length(trade_id) desc, trade_id desc))[1] as close,
    sum(size) as volume, sum(price * size) as quote_volume, coalesce(sum(size) filter (where side = 'b'), 0) as buy_volume,
    min(ts) as first_ts, max(ts) as last_ts, (array_agg(trade_id order by ts, length(trade_id), trade_id))[1] as first_id,
    (array_agg(trade_id order by ts desc, length(trade_id) desc, trade_id desc))[1] as last_id`;

const isEarlier =
  '(excluded.first_ts, length(excluded.first_id), excluded.first_id) < (c.first_ts, length(c.first_id), c.first_id)';
const isLater =
  '(excluded.last_ts, length(excluded.last_id), excluded.last_id) > (c.last_ts, length(c.last_id), c.last_id)';
const either = (condition: string, column: string) =>
  `${column} = case when ${condition} then excluded.${column} else c.${column} end`;

/**
 * A statement that takes new trades into the candles they belong to, whatever the order they come in: what it adds up does not
 * depend on it. In an order all writers share, so that two of them never wait for one another in a circle.
 */
export const rollUp = (trades: string): string => `
    insert into tcp_dashboard.candle as c
    select instrument_id, seconds, date_bin(make_interval(secs => seconds), ts, 'epoch') as opens, ${candleColumns}
    from ${trades} cross join (values ${STORED_SECONDS.map((seconds) => `(${seconds})`).join(', ')}) s (seconds)
    group by instrument_id, seconds, opens order by instrument_id, seconds, opens
    on conflict (instrument_id, seconds, ts) do update set
      recorded_at = greatest(c.recorded_at, excluded.recorded_at), trade_count = c.trade_count + excluded.trade_count,
      high = greatest(c.high, excluded.high), low = least(c.low, excluded.low), volume = c.volume + excluded.volume,
      quote_volume = c.quote_volume + excluded.quote_volume, buy_volume = c.buy_volume + excluded.buy_volume,
      ${['open', 'first_ts', 'first_id'].map((column) => either(isEarlier, column)).join(', ')},
      ${['close', 'last_ts', 'last_id'].map((column) => either(isLater, column)).join(', ')}`;
